import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Page.module.css';
import { usePageTitle } from './page-title.ts';

interface Props {
  title: string;
  /** A sign in front of the title. */
  sign?: ReactNode;
  /** What stands beside the title: a status. */
  beside?: ReactNode;
  /** One sentence about what this page is for. */
  about?: ReactNode;
  /** What can be done here, at the right. */
  actions?: ReactNode;
  /** What stands above the title: the way back. */
  back?: ReactNode;
  children: ReactNode;
}

/** The frame of a page of the control center. */
export function Page({ title, sign, beside, about, actions, back, children }: Props) {
  usePageTitle(title);
  return (
    <div className={classes.page}>
      {back}
      <header className={classes.header}>
        <div className={classes.words}>
          <div className={classes.heading}>
            {sign}
            <Title order={1} className={classes.title}>
              {title}
            </Title>
            {beside}
          </div>
          {about && <div className={classes.about}>{about}</div>}
        </div>
        {actions && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A titled box on a page. */
export function Section({ title, about, children }: { title?: string; about?: ReactNode; children: ReactNode }) {
  return (
    <section className={classes.section}>
      {title && (
        <Title order={2} size="h3" mb={about ? 2 : 'sm'}>
          {title}
        </Title>
      )}
      {about && (
        <Text size="sm" c="dimmed" mb="md">
          {about}
        </Text>
      )}
      {children}
    </section>
  );
}
