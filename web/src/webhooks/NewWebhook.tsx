import { Button, Group, Modal, MultiSelect, Select, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import { createWebhook, webhooksQuery } from '../api/webhooks.ts';
import { catalogQuery, channelsQuery } from '../api/workspace.ts';
import { Problem } from '../components/Problem.tsx';
import { ShownOnce } from '../components/ShownOnce.tsx';
import { eventChoices, newSigningKey, serviceOf } from './events.ts';

/** One address, told of as many events as one likes; all of them are signed with one key. */
export function NewWebhook({ onClose }: { onClose: () => void }) {
  const { data: catalog = [] } = useQuery(catalogQuery);
  const { data: channels = [] } = useQuery(channelsQuery);
  const [url, setUrl] = useState('');
  const [events, setEvents] = useState<string[]>([]);
  const [channelId, setChannelId] = useState<string | null>(null);
  const [signingKey] = useState(newSigningKey);
  const create = useMutation({
    mutationFn: async () => {
      const eventFilters = channelId ? [{ key: 'channelId', value: channelId }] : null;
      for (const event of events) {
        await createWebhook({ service: serviceOf(event), event, url: url.trim(), signingKey, eventFilters });
        // What exists is not made again should a later one be refused.
        setEvents((left) => left.filter((one) => one !== event));
      }
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey }),
  });
  const fields = create.error instanceof ApiError ? create.error.fields : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  if (create.isSuccess) {
    return (
      <ShownOnce
        title="The webhook's signing key"
        secret={signingKey}
        warning="Copy the key now: it is kept encrypted and cannot be shown again."
        onClose={onClose}
      >
        With it your program checks that a request is from here and was not changed. Any Standard Webhooks library does that: it reads the
        headers webhook-id, webhook-timestamp and webhook-signature.
      </ShownOnce>
    );
  }
  const told = Boolean(fields.url ?? fields.event);
  return (
    <Modal opened onClose={onClose} title="New webhook" size="lg">
      <form onSubmit={submit} noValidate>
        <Stack>
          <TextInput
            label="Address"
            description="Where the requests go. It has to answer with a 2xx status within 15 seconds."
            placeholder="https://example.com/webhook"
            type="url"
            value={url}
            onChange={(event) => setUrl(event.currentTarget.value)}
            error={fields.url?.join('; ')}
            data-autofocus
            required
          />
          <MultiSelect
            label="Events"
            description="Each becomes an entry of its own, so that you can pause it alone."
            placeholder={events.length === 0 ? 'Choose what it hears of' : undefined}
            data={eventChoices(catalog)}
            value={events}
            onChange={setEvents}
            error={fields.event?.join('; ')}
            searchable
            clearable
            hidePickedOptions
            maxDropdownHeight={320}
            nothingFoundMessage="There is no such event"
            required
          />
          <Select
            label="Only one channel"
            placeholder="Every channel"
            data={channels.map(({ id, name }) => ({ value: id, label: name }))}
            value={channelId}
            onChange={setChannelId}
            clearable
            searchable
          />
          {create.error && !told && <Problem error={create.error} title="Not made" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending} disabled={!url.trim() || events.length === 0}>
              Make it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
