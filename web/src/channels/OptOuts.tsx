import { Button, Skeleton, Table } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { queryClient } from '../api/query-client.ts';
import { deleteOptOut, optOutsQuery } from '../api/workspace.ts';
import { Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import rows from '../components/Rows.module.css';
import { ago, fullTime } from '../components/time.ts';

/** Who asked this channel not to write; every send respects it. */
export function OptOuts({ channelId }: { channelId: string }) {
  const { data, error, isPending, refetch } = useQuery(optOutsQuery(channelId));
  const clear = useMutation({
    mutationFn: (value: string) => deleteOptOut(channelId, value),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: optOutsQuery(channelId).queryKey }),
  });
  return (
    <Section
      title="Opt-outs"
      about="People who asked not to be written to here (STOP and its like). Nothing is sent to them, whoever sends."
    >
      {error && <Problem error={error} title="The opt-outs could not be read" onRetry={() => void refetch()} />}
      {clear.error && <Problem error={clear.error} title="Not changed" />}
      {isPending && <Skeleton height={80} radius="md" aria-hidden />}
      {data?.results.length === 0 && 'Nobody so far.'}
      {data && data.results.length > 0 && (
        <Table verticalSpacing="xs" className={rows.stacking}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Address</Table.Th>
              <Table.Th>They wrote</Table.Th>
              <Table.Th>When</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.results.map(({ identifierValue, keyword, optedOutAt }) => (
              <Table.Tr key={identifierValue}>
                <Table.Td data-label="Address">{identifierValue}</Table.Td>
                <Table.Td data-label="Wrote">{keyword ?? ''}</Table.Td>
                <Table.Td title={fullTime(optedOutAt)} data-label="When">
                  {ago(optedOutAt)}
                </Table.Td>
                <Table.Td className={rows.end}>
                  <Button
                    size="compact-sm"
                    variant="subtle"
                    onClick={() => clear.mutate(identifierValue)}
                    aria-label={`Write to ${identifierValue} again`}
                  >
                    They agreed again
                  </Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {data?.nextPageToken && 'There are more; the API lists them all.'}
    </Section>
  );
}
