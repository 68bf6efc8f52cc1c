import { Button, Code, Drawer, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { queryClient } from '../api/query-client.ts';
import { deliveryQuery, replayWebhook } from '../api/webhooks.ts';
import { CopyButton } from '../components/CopyButton.tsx';
import { Problem } from '../components/Problem.tsx';
import { prettyJson } from '../components/pretty-json.ts';
import { Badge } from '../components/StatusBadge.tsx';
import { fullTime } from '../components/time.ts';
import { answerWords, DELIVERY_STATES } from './status.ts';

interface Props {
  webhookId: string;
  requestId: string;
  onClose: () => void;
}

/** One delivery: what was posted, every attempt, and the button that posts it again. */
export function Delivery({ webhookId, requestId, onClose }: Props) {
  const { data, error, refetch } = useQuery(deliveryQuery(webhookId, requestId));
  const replay = useMutation({
    mutationFn: () => replayWebhook(webhookId, requestId),
    onSuccess: () => {
      void refetch();
      return queryClient.invalidateQueries({ queryKey: ['webhook-log', webhookId] });
    },
  });
  return (
    <Drawer opened onClose={onClose} position="right" size="xl" title="Delivery">
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton height={240} aria-hidden />}
      {data && (
        <Stack>
          <Group gap="xs">
            <Badge tone={DELIVERY_STATES[data.executionStatus].tone}>{DELIVERY_STATES[data.executionStatus].words}</Badge>
            <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
              {data.event} to {data.url}
            </Text>
          </Group>
          <Text size="xs" c="dimmed" ff="monospace">
            webhook-id {data.requestId}
          </Text>
          <Group>
            <Button
              leftSection={<IconRefresh size={16} />}
              loading={replay.isPending}
              disabled={data.executionStatus === 'pending'}
              onClick={() => replay.mutate()}
            >
              Post again
            </Button>
            <CopyButton value={data.body} label="Copy the body" withText />
          </Group>
          {replay.error && <Problem error={replay.error} title="Not posted again" />}
          <div>
            <Text fw={600} size="sm" mb={4}>
              Attempts
            </Text>
            {data.attempts.length === 0 && (
              <Text size="sm" c="dimmed">
                None yet.
              </Text>
            )}
            {data.attempts.map(({ createdAt, httpStatusCode, error: problem }) => (
              <Text key={createdAt} size="sm" style={{ overflowWrap: 'anywhere' }}>
                {fullTime(createdAt)}: {answerWords(httpStatusCode, problem)}
              </Text>
            ))}
          </div>
          <Code block>{prettyJson(data.body)}</Code>
        </Stack>
      )}
    </Drawer>
  );
}
