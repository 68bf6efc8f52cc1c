import { Button, Group, SegmentedControl, Skeleton, Table, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { queryClient } from '../api/query-client.ts';
import type { Webhook, WebhookDeliveryState } from '../api/types.ts';
import { replayWebhook, webhookLogQuery } from '../api/webhooks.ts';
import { Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import rows from '../components/Rows.module.css';
import { Badge } from '../components/StatusBadge.tsx';
import { ago, fullTime } from '../components/time.ts';
import { Delivery } from './Delivery.tsx';
import { answerWords, DELIVERY_STATES } from './status.ts';

const SHOWN = [
  { value: '', label: 'All' },
  { value: 'pending', label: 'Waiting' },
  { value: 'dead', label: 'Given up' },
];

/** What was posted in the last days, newest first, and how it was answered. */
export function DeliveryLog({ webhook }: { webhook: Webhook }) {
  const [state, setState] = useState('');
  const [chosen, setChosen] = useState<string>();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    webhookLogQuery(webhook.id, (state || undefined) as WebhookDeliveryState | undefined),
  );
  const replay = useMutation({
    mutationFn: () => replayWebhook(webhook.id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['webhook-log', webhook.id] }),
  });
  const deliveries = data?.pages.flatMap((page) => page.results) ?? [];
  return (
    <Section title="Deliveries" about="Kept for 7 days. One that is not accepted is posted again, less and less often, for three days.">
      <Group justify="space-between" mb="sm">
        <SegmentedControl size="xs" aria-label="Show" value={state} onChange={setState} data={SHOWN} />
        <Group gap="xs">
          <Text size="sm" c="dimmed" role="status">
            {replay.data && (replay.data.replayed === 0 ? 'Nothing was given up.' : `${replay.data.replayed} in line again.`)}
          </Text>
          <Button size="compact-sm" variant="default" loading={replay.isPending} onClick={() => replay.mutate()}>
            Post again what was given up
          </Button>
        </Group>
      </Group>
      {replay.error && <Problem error={replay.error} title="Not posted again" />}
      {error && <Problem error={error} title="The log could not be read" onRetry={() => void refetch()} />}
      {isPending && <Skeleton height={120} radius="md" aria-hidden />}
      {data && deliveries.length === 0 && (
        <Text size="sm" c="dimmed">
          {state ? 'There is nothing of this kind.' : 'Nothing was posted yet. Send a test to see whether your program hears it.'}
        </Text>
      )}
      {deliveries.length > 0 && (
        <Table verticalSpacing="xs" className={rows.stacking}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Made</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Answer</Table.Th>
              <Table.Th>Attempts</Table.Th>
              <Table.Th aria-label="Look" />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {deliveries.map(({ requestId, createdAt, executionStatus, httpStatusCode, error: problem, attemptCount }) => (
              <Table.Tr key={requestId}>
                <Table.Td title={fullTime(createdAt)} data-label="Made">
                  {ago(createdAt)}
                </Table.Td>
                <Table.Td data-label="State">
                  <Badge tone={DELIVERY_STATES[executionStatus].tone}>{DELIVERY_STATES[executionStatus].words}</Badge>
                </Table.Td>
                <Table.Td className={rows.wide} data-label="Answer">
                  {answerWords(httpStatusCode, problem)}
                </Table.Td>
                <Table.Td data-label="Attempts">{attemptCount}</Table.Td>
                <Table.Td className={rows.end}>
                  <Button size="compact-sm" variant="default" onClick={() => setChosen(requestId)}>
                    Look
                  </Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()} mt="sm">
          Show more
        </Button>
      )}
      {chosen && <Delivery webhookId={webhook.id} requestId={chosen} onClose={() => setChosen(undefined)} />}
    </Section>
  );
}
