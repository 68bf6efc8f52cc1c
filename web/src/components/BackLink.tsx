import { IconChevronLeft } from '@tabler/icons-react';
import { createLink } from '@tanstack/react-router';
import type { ComponentProps } from 'react';
import classes from './Page.module.css';

function Back({ children, ...props }: ComponentProps<'a'>) {
  return (
    <a {...props} className={classes.back}>
      <IconChevronLeft size={16} aria-hidden /> {children}
    </a>
  );
}

/** The way back to the list that a page belongs to. */
export const BackLink = createLink(Back);
