import { Button, Group, Skeleton, Text, TextInput } from '@mantine/core';
import { IconPlus, IconRefresh, IconSearch } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { queryClient } from '../api/query-client.ts';
import { syncTemplates, templatesQuery } from '../api/templates.ts';
import type { ChannelDetails } from '../api/types.ts';
import { Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import { ago } from '../components/time.ts';
import { NewTemplate } from './NewTemplate.tsx';
import { TemplateCard } from './TemplateCard.tsx';
import classes from './templates.module.css';

/** The messages that the provider approved: kept in step with it, made here, previewed. */
export function TemplatesSection({ channel }: { channel: ChannelDetails }) {
  const { data: templates, error, isPending, refetch } = useQuery(templatesQuery(channel.id));
  const [creating, setCreating] = useState(false);
  const [search, setSearch] = useState('');
  const sync = useMutation({
    mutationFn: () => syncTemplates(channel.id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: templatesQuery(channel.id).queryKey }),
  });
  const synced = templates
    ?.map(({ syncedAt }) => syncedAt ?? '')
    .sort()
    .at(-1);
  const wanted = search.trim().toLowerCase();
  const shown = templates?.filter(({ name, body }) => `${name} ${body}`.toLowerCase().includes(wanted));
  return (
    <Section title="Templates" about="Approved by the provider; they may also be sent when the time for free answers is over.">
      <Group mb="md" gap="sm">
        <Button leftSection={<IconPlus size={17} />} onClick={() => setCreating(true)}>
          New template
        </Button>
        <Button variant="default" leftSection={<IconRefresh size={16} />} loading={sync.isPending} onClick={() => sync.mutate()}>
          Sync
        </Button>
        <Text size="sm" c="dimmed" role="status">
          {sync.data
            ? `${sync.data.synced} at the provider: ${sync.data.added} new, ${sync.data.updated} changed`
            : synced
              ? `last sync ${ago(synced)}`
              : ''}
        </Text>
      </Group>
      {(error ?? sync.error) && (
        <Problem error={(error ?? sync.error)!} title="The templates could not be read" onRetry={() => void refetch()} />
      )}
      {isPending && <Skeleton height={140} radius="md" aria-hidden />}
      {templates && templates.length > 5 && (
        <TextInput
          mb="sm"
          leftSection={<IconSearch size={16} />}
          placeholder="Part of the name or the text"
          aria-label="Search the templates"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      {templates?.length === 0 && <Text size="sm">No template yet. Sync to read those that the provider has, or make one.</Text>}
      <ul className={classes.list}>
        {shown?.map((template) => (
          <TemplateCard key={template.id} template={template} channelId={channel.id} />
        ))}
      </ul>
      {creating && <NewTemplate channelId={channel.id} onClose={() => setCreating(false)} />}
    </Section>
  );
}
