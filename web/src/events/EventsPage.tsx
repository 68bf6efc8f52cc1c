import { Button, SegmentedControl, Skeleton, Table, Text } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { RawState } from '../api/types.ts';
import { rawEventsQuery } from '../api/workspace.ts';
import { EmptyState } from '../components/EmptyState.tsx';
import { Page, Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import rows from '../components/Rows.module.css';
import { ago, fullTime } from '../components/time.ts';
import { EventDetails } from './EventDetails.tsx';

const STATES: { value: RawState; label: string; about: string }[] = [
  {
    value: 'failed',
    label: 'Failed',
    about: 'They came in, are kept, and could not be read. After a fix, play them again: nothing is lost.',
  },
  { value: 'unrouted', label: 'No channel', about: 'They are about an account that is not connected. Connect it and play them again.' },
  { value: 'waiting', label: 'Waiting', about: 'They are kept and about to be read.' },
  { value: 'ignored', label: 'Ignored', about: 'They were understood, and there was nothing to do.' },
];

/** What providers said and Patchbay could not use yet. */
export function EventsPage() {
  const [state, setState] = useState<RawState>('failed');
  const [chosen, setChosen] = useState<string>();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(rawEventsQuery(state));
  const events = data?.pages.flatMap((page) => page.results) ?? [];
  return (
    <Page title="Events that were not applied" about={STATES.find(({ value }) => value === state)?.about}>
      <SegmentedControl
        value={state}
        onChange={(value) => setState(value as RawState)}
        data={STATES.map(({ value, label }) => ({ value, label }))}
        mb="md"
      />
      {error && <Problem error={error} title="The events could not be read" onRetry={() => void refetch()} />}
      {isPending && <Skeleton height={160} radius="md" aria-hidden />}
      {data && events.length === 0 && (
        <EmptyState icon={IconCircleCheck} title="None">
          {state === 'failed' ? 'Everything that providers sent was read.' : 'There is nothing of this kind.'}
        </EmptyState>
      )}
      {events.length > 0 && (
        <Section>
          <Table verticalSpacing="sm" highlightOnHover className={rows.stacking}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Came in</Table.Th>
                <Table.Th>From</Table.Th>
                <Table.Th>Why</Table.Th>
                <Table.Th />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {events.map((event) => (
                <Table.Tr key={event.id}>
                  <Table.Td title={fullTime(event.receivedAt)} data-label="Came in">
                    {ago(event.receivedAt)}
                  </Table.Td>
                  <Table.Td data-label="From">
                    {event.source}
                    {event.sourceChannelId && (
                      <Text size="xs" c="dimmed">
                        {event.sourceChannelId}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td className={rows.wide} data-label="Why">
                    {event.error ?? '–'}
                  </Table.Td>
                  <Table.Td className={rows.end}>
                    <Button size="compact-sm" variant="default" onClick={() => setChosen(event.id)}>
                      Look
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {hasNextPage && (
            <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()} mt="sm">
              Show more
            </Button>
          )}
        </Section>
      )}
      {chosen && <EventDetails id={chosen} onClose={() => setChosen(undefined)} />}
    </Page>
  );
}
