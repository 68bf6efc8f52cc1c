import { Button, Group } from '@mantine/core';
import { IconClock } from '@tabler/icons-react';
import classes from './Bubble.module.css';
import { ContentView } from './content/ContentView.tsx';
import { discard, type Outgoing, retry } from './outbox.ts';

/** A message that the server does not have yet. */
export function OutgoingBubble({ entry }: { entry: Outgoing }) {
  return (
    <div className={classes.group} data-side="outgoing">
      <div className={classes.stack}>
        <div className={classes.item}>
          <div className={classes.line}>
            <div className={classes.bubble} data-pending data-failed={entry.state === 'failed' || undefined}>
              <ContentView content={entry.content} />
            </div>
          </div>
          {entry.state === 'sending' && (
            <span className={classes.meta}>
              <IconClock size={14} aria-label="On its way" />
            </span>
          )}
          {entry.state === 'waiting' && <span className={classes.meta}>Waits for a connection; goes out by itself</span>}
          {entry.state === 'failed' && (
            <div className={classes.failure} role="alert">
              <span>
                <strong>Not sent.</strong> {entry.problem}
              </span>
              <Group gap={4} wrap="nowrap">
                <Button size="compact-xs" variant="light" color="red" onClick={() => retry(entry.key)}>
                  Send again
                </Button>
                <Button size="compact-xs" variant="subtle" color="gray" onClick={() => discard(entry.key)}>
                  Discard
                </Button>
              </Group>
            </div>
          )}
        </div>
      </div>
    </div>
  );
}
