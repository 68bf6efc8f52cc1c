import { Button, Code, Drawer, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconInfoCircle, IconRefresh } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { queryClient } from '../api/query-client.ts';
import type { RawState } from '../api/types.ts';
import { rawEventQuery, replayRawEvent } from '../api/workspace.ts';
import { CopyButton } from '../components/CopyButton.tsx';
import { Notice } from '../components/Notice.tsx';
import { Problem } from '../components/Problem.tsx';
import { prettyJson } from '../components/pretty-json.ts';
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
            <Notice tone="bad" icon={IconAlertTriangle} title="Why it was not applied">
              {event.error}
            </Notice>
          )}
          <Group>
            <Button leftSection={<IconRefresh size={16} />} loading={replay.isPending} onClick={() => replay.mutate()}>
              Play again
            </Button>
            {event.body !== undefined && <CopyButton value={event.body} label="Copy the body" withText />}
          </Group>
          {replay.data && (
            <Notice
              tone={replay.data.state === 'applied' || replay.data.state === 'ignored' ? 'good' : 'warning'}
              icon={IconInfoCircle}
              role="status"
            >
              {OUTCOMES[replay.data.state]}
            </Notice>
          )}
          {replay.error && <Problem error={replay.error} title="Playing it again did not work" />}
          <div>
            <Text size="xs" c="dimmed" mb={4}>
              {event.contentType}
            </Text>
            <Code block>{prettyJson(event.body ?? '')}</Code>
          </div>
        </Stack>
      )}
    </Drawer>
  );
}
