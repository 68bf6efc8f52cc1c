import { Tooltip } from '@mantine/core';
import { type LiveState, useLiveState } from '../api/live.ts';
import classes from './Nav.module.css';

const WORDS: Record<LiveState, string> = {
  connecting: 'Connecting…',
  live: 'Live: what happens shows at once',
  reconnecting: 'No connection to Patchbay; trying again',
  off: 'This key may not follow events: the pages ask again every ten seconds',
};

/** How fresh the pages are. */
export function ConnectionDot() {
  const state = useLiveState();
  return (
    <Tooltip label={WORDS[state]} position="right">
      <span className={classes.connection} role="status" aria-label={WORDS[state]} data-state={state}>
        <span className={classes.dot} />
      </span>
    </Tooltip>
  );
}
