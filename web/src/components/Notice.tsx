import type { TablerIcon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './Notice.module.css';

interface Props {
  tone: 'good' | 'warning' | 'bad' | 'neutral';
  icon: TablerIcon;
  title?: string;
  children?: ReactNode;
  /** `alert` is read out at once, `status` at the next pause. */
  role?: 'alert' | 'status';
}

/** Something that one should know about what stands below, in the colour of its meaning. */
export function Notice({ tone, icon: Icon, title, children, role }: Props) {
  return (
    <div className={classes.notice} data-tone={tone} role={role}>
      <Icon size={18} aria-hidden />
      <div className={classes.body}>
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
    </div>
  );
}
