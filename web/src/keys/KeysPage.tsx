import { Button, Group, Modal, Skeleton, Stack, Table, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { queryClient } from '../api/query-client.ts';
import type { ApiKey } from '../api/types.ts';
import { keysQuery, revokeKey } from '../api/workspace.ts';
import { Page, Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
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
          <Table.ScrollContainer minWidth={560}>
            <Table verticalSpacing="sm">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>Key</Table.Th>
                  <Table.Th>May</Table.Th>
                  <Table.Th>Made</Table.Th>
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
                    <Table.Td ff="monospace">{key.prefix}…</Table.Td>
                    <Table.Td maw={320}>{key.scopes.includes('*') ? 'everything' : key.scopes.join(', ')}</Table.Td>
                    <Table.Td title={fullTime(key.createdAt)}>{ago(key.createdAt)}</Table.Td>
                    <Table.Td ta="right">
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
          </Table.ScrollContainer>
        </Section>
      )}
      {creating && <NewKey onClose={() => setCreating(false)} />}
      {revoking && <Revoke apiKey={revoking} onClose={() => setRevoking(undefined)} />}
    </Page>
  );
}

function Revoke({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const revoke = useMutation({
    mutationFn: () => revokeKey(apiKey.id),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: keysQuery.queryKey });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Revoke ${apiKey.name}?`}>
      <Stack>
        <Text size="sm">Programs and people that use it are refused from now on. This cannot be undone.</Text>
        {revoke.error && <Problem error={revoke.error} title="Not revoked" />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>
            Revoke
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
