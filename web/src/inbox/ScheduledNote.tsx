import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { putMessage } from '../api/cache.ts';
import { queryClient } from '../api/query-client.ts';
import type { Message } from '../api/types.ts';
import { cancelMessage } from '../api/workspace.ts';
import { dayAndTime } from '../components/time.ts';
import classes from './Bubble.module.css';
import { DeliveryMark } from './DeliveryMark.tsx';

/** When a message goes out that waits for its time, and the button that takes it back. */
export function ScheduledNote({ message }: { message: Message }) {
  const back = useMutation({
    mutationFn: () => cancelMessage(message.id),
    onSuccess: (changed) => putMessage(queryClient, changed),
  });
  return (
    <span className={classes.scheduled}>
      <DeliveryMark state="scheduled" />
      <span>{message.scheduledFor ? `Goes out ${dayAndTime(message.scheduledFor)}` : 'Goes out later'}</span>
      <Button size="compact-xs" variant="subtle" loading={back.isPending} onClick={() => back.mutate()}>
        Take back
      </Button>
      {back.error && <span role="alert">{back.error.message}</span>}
    </span>
  );
}
