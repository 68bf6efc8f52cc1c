import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Page.module.css';

interface Props {
  title: ReactNode;
  /** One sentence about what this page is for. */
  about?: ReactNode;
  /** What can be done here, at the right. */
  actions?: ReactNode;
  /** What stands above the title: the way back. */
  back?: ReactNode;
  children: ReactNode;
}

/** The frame of a page of the control center. */
export function Page({ title, about, actions, back, children }: Props) {
  return (
    <div className={classes.page}>
      {back}
      <header className={classes.header}>
        <div>
          <Title order={1}>{title}</Title>
          {about && (
            <Text c="dimmed" component="div" mt={2}>
              {about}
            </Text>
          )}
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
