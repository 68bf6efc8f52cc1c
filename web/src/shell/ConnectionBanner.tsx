import { Button } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconCloudOff } from '@tabler/icons-react';
import { reconnectNow, useLiveState } from '../api/live.ts';
import classes from './ConnectionBanner.module.css';

const PATIENCE_MS = 2_000;

/** Says that what is shown may be old; not for the blink of a reconnect. */
export function ConnectionBanner() {
  const state = useLiveState();
  const [lasting] = useDebouncedValue(state, PATIENCE_MS);
  if (state !== 'reconnecting' || lasting !== 'reconnecting') return null;
  return (
    <div className={classes.banner} role="status">
      <IconCloudOff size={16} aria-hidden />
      <span>No connection to Patchbay. What you see may be out of date; messages that you send are kept and sent again.</span>
      <Button size="compact-xs" variant="white" color="dark" onClick={reconnectNow}>
        Connect now
      </Button>
    </div>
  );
}
