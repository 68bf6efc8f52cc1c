import { Alert, Button, Code, Drawer, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { queryClient } from '../api/query-client.ts';
import type { RawState } from '../api/types.ts';
import { rawEventQuery, replayRawEvent } from '../api/workspace.ts';
import { CopyButton } from '../components/CopyButton.tsx';
import { Problem } from '../components/Problem.tsx';
import { fullTime } from '../components/time.ts';

const OUTCOMES: Record<RawState, string> = {
  applied: 'It was read and applied.',
  ignored: 'It was read; there was nothing to do.',
  failed: 'It still cannot be read.',
  unrouted: 'The account that it is about is still not connected.',
  waiting: 'It is about to be read.',
};

/** One event as the provider sent it, and the button that plays it again. */
export function EventDetails({ id, onClose }: { id: string; onClose: () => void }) {
  const { data: event, error, refetch } = useQuery(rawEventQuery(id));
  const replay = useMutation({
    mutationFn: () => replayRawEvent(id),
    onSuccess: () => {
      void refetch();
      void queryClient.invalidateQueries({ queryKey: ['raw-events'] });
    },
  });
  return (
    <Drawer opened onClose={onClose} position="right" size="xl" title="Event">
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {!event && !error && <Skeleton height={240} aria-hidden />}
      {event && (
        <Stack>
          <Text size="sm">
            From <strong>{event.source}</strong>, came in {fullTime(event.receivedAt)}, tried {event.attempts}{' '}
            {event.attempts === 1 ? 'time' : 'times'}.
          </Text>
          {event.error && (
            <Alert color="red" variant="light" title="Why it was not applied">
              {event.error}
            </Alert>
          )}
          <Group>
            <Button leftSection={<IconRefresh size={16} />} loading={replay.isPending} onClick={() => replay.mutate()}>
              Play again
            </Button>
            {event.body !== undefined && <CopyButton value={event.body} label="Copy the body" withText />}
          </Group>
          {replay.data && (
            <Alert
              color={replay.data.state === 'applied' || replay.data.state === 'ignored' ? 'green' : 'yellow'}
              variant="light"
              role="status"
            >
              {OUTCOMES[replay.data.state]}
            </Alert>
          )}
          {replay.error && <Problem error={replay.error} title="Playing it again did not work" />}
          <div>
            <Text size="xs" c="dimmed" mb={4}>
              {event.contentType}
            </Text>
            <Code block>{pretty(event.body ?? '')}</Code>
          </div>
        </Stack>
      )}
    </Drawer>
  );
}

/** JSON with its lines broken; anything else as it is. */
function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
