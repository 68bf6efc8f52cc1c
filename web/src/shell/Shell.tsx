import { VisuallyHidden } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { Outlet, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useOpenPage } from '../components/page-title.ts';
import { useAttention } from './attention.ts';
import { ConnectionBanner } from './ConnectionBanner.tsx';
import { Nav } from './Nav.tsx';
import { startNotices } from './notify.ts';
import classes from './Shell.module.css';

const CommandBar = lazy(() => import('./CommandBar.tsx').then(({ CommandBar }) => ({ default: CommandBar })));

/** The frame of every page: navigation at the side (below, on a phone), the page beside it. */
export function Shell() {
  const unread = useAttention();
  const [commanding, setCommanding] = useState(false);
  const navigate = useNavigate();
  useEffect(
    () => startNotices((conversationId) => void navigate({ to: '/inbox/$conversationId', params: { conversationId } })),
    [navigate],
  );
  useHotkeys([['mod+K', () => setCommanding(true)]], []);
  return (
    <div className={classes.shell}>
      <PageName />
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
      {commanding && (
        <Suspense>
          <CommandBar onClose={() => setCommanding(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** Says which page was opened to those who hear the pages. */
function PageName() {
  return <VisuallyHidden role="status">{useOpenPage()}</VisuallyHidden>;
}
