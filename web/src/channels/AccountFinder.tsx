import { Avatar, Button, Group, Stack, Text } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { Candidate, Schema } from '../api/types.ts';
import { exploreChannels } from '../api/workspace.ts';
import { Problem } from '../components/Problem.tsx';
import { filledValues, type Values } from '../components/schema-values.ts';

interface Props {
  source: string;
  schema: Schema;
  values: Values;
  onChoose: (candidate: Candidate) => void;
}

/** Asks the provider which accounts the credentials reach; choosing one fills the form. */
export function AccountFinder({ source, schema, values, onChoose }: Props) {
  const find = useMutation({ mutationFn: () => exploreChannels(source, filledValues(schema, values)) });
  return (
    <Stack gap="xs">
      <Group>
        <Button variant="light" leftSection={<IconSearch size={16} />} loading={find.isPending} onClick={() => find.mutate()}>
          Find my accounts
        </Button>
        <Text size="sm" c="dimmed">
          Lists what the credentials above reach, so that you need no ids.
        </Text>
      </Group>
      {find.error && <Problem error={find.error} />}
      {find.data?.length === 0 && <Text size="sm">These credentials reach no account.</Text>}
      {find.data?.map((candidate) => (
        <Group key={candidate.sourceChannelId} wrap="nowrap" gap="sm">
          <Avatar src={candidate.imageUrl ?? null} name={candidate.name} color="initials" size={32} />
          <div style={{ flex: 1, minWidth: 0 }}>
            <Text size="sm" fw={600}>
              {candidate.name}
            </Text>
            <Text size="xs" c="dimmed">
              {candidate.sourceChannelId}
            </Text>
          </div>
          <Button size="xs" variant="default" disabled={candidate.connected} onClick={() => onChoose(candidate)}>
            {candidate.connected ? 'Connected already' : 'Choose'}
          </Button>
        </Group>
      ))}
    </Stack>
  );
}
