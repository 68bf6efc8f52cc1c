import { Outlet } from '@tanstack/react-router';
import { useAttention } from './attention.ts';
import { ConnectionBanner } from './ConnectionBanner.tsx';
import { Nav } from './Nav.tsx';
import classes from './Shell.module.css';

/** The frame of every page: navigation at the side (below, on a phone), the page beside it. */
export function Shell() {
  const unread = useAttention();
  return (
    <div className={classes.shell}>
      <a href="#page" className={classes.skip}>
        Skip to the page
      </a>
      <Nav unread={unread} />
      <div className={classes.main}>
        <ConnectionBanner />
        <main id="page" className={classes.page} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
    </div>
  );
}
