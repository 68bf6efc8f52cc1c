import { Button, Group, Skeleton, Table } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { queryClient } from '../api/query-client.ts';
import type { ApiKey } from '../api/types.ts';
import { keysQuery, revokeKey } from '../api/workspace.ts';
import { Confirm } from '../components/Confirm.tsx';
import { Page, Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import rows from '../components/Rows.module.css';
import { Badge } from '../components/StatusBadge.tsx';
import { ago, fullTime } from '../components/time.ts';
import { NewKey } from './NewKey.tsx';

/** The keys of programs and people: made here, shown once, taken back any time. */
export function KeysPage() {
  const { data: keys, error, isPending, refetch } = useQuery(keysQuery);
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey>();
  return (
    <Page
      title="API keys"
      about="Programs use them to call the API, people to sign in. Each may do what its scopes say, and nothing else."
      actions={
        <Button leftSection={<IconPlus size={18} />} onClick={() => setCreating(true)}>
          New key
        </Button>
      }
    >
      {error && <Problem error={error} title="The keys could not be read" onRetry={() => void refetch()} />}
      {isPending && <Skeleton height={160} radius="md" aria-hidden />}
      {keys && (
        <Section>
          <Table verticalSpacing="sm" className={rows.stacking}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>Key</Table.Th>
                <Table.Th>May</Table.Th>
                <Table.Th>Made</Table.Th>
                <Table.Th>Last used</Table.Th>
                <Table.Th />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {keys.map((key) => (
                <Table.Tr key={key.id}>
                  <Table.Td>
                    <Group gap="xs">
                      {key.name} {key.sandbox && <Badge tone="neutral">Sandbox</Badge>}
                    </Group>
                  </Table.Td>
                  <Table.Td ff="monospace" data-label="Key">
                    {key.prefix}…
                  </Table.Td>
                  <Table.Td className={rows.wide} data-label="May">
                    {key.scopes.includes('*') ? 'everything' : key.scopes.join(', ')}
                  </Table.Td>
                  <Table.Td title={fullTime(key.createdAt)} data-label="Made">
                    {ago(key.createdAt)}
                  </Table.Td>
                  <Table.Td title={key.lastUsedAt ? fullTime(key.lastUsedAt) : undefined} data-label="Last used">
                    {ago(key.lastUsedAt)}
                  </Table.Td>
                  <Table.Td className={rows.end}>
                    <Button
                      size="compact-sm"
                      variant="subtle"
                      color="red"
                      onClick={() => setRevoking(key)}
                      aria-label={`Revoke ${key.name}`}
                    >
                      Revoke
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Section>
      )}
      {creating && <NewKey onClose={() => setCreating(false)} />}
      {revoking && (
        <Confirm
          title={`Revoke ${revoking.name}?`}
          verb="Revoke"
          failed="Not revoked"
          action={() => revokeKey(revoking.id).then(() => queryClient.invalidateQueries({ queryKey: keysQuery.queryKey }))}
          onClose={() => setRevoking(undefined)}
        >
          Programs and people that use it are refused from now on. This cannot be undone.
        </Confirm>
      )}
    </Page>
  );
}
