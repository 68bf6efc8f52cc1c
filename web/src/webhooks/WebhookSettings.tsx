import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import type { Webhook } from '../api/types.ts';
import { changeWebhook, webhookQuery, webhooksQuery } from '../api/webhooks.ts';
import { Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import { ShownOnce } from '../components/ShownOnce.tsx';
import { newSigningKey } from './events.ts';

/** Another address, or another signing key. */
export function WebhookSettings({ webhook }: { webhook: Webhook }) {
  const [url, setUrl] = useState(webhook.url);
  const move = useMutation({
    mutationFn: () => changeWebhook(webhook.id, { url: url.trim() }),
    onSuccess: (changed) => {
      queryClient.setQueryData(webhookQuery(webhook.id).queryKey, changed);
      return queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey });
    },
  });
  const replace = useMutation({
    mutationFn: async () => {
      const signingKey = newSigningKey();
      await changeWebhook(webhook.id, { signingKey });
      return signingKey;
    },
  });
  const wrong = move.error instanceof ApiError ? move.error.fields.url?.join('; ') : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    move.mutate();
  };
  return (
    <Section title="Settings">
      <Stack>
        <form onSubmit={submit} noValidate>
          <Stack gap="xs" maw={640}>
            <TextInput
              label="Address"
              type="url"
              value={url}
              onChange={(event) => setUrl(event.currentTarget.value)}
              error={wrong}
              required
            />
            {move.error && !wrong && <Problem error={move.error} title="Not changed" />}
            <Group>
              <Button type="submit" variant="default" loading={move.isPending} disabled={!url.trim() || url.trim() === webhook.url}>
                Save the address
              </Button>
              <Text size="sm" c="var(--pb-good-text)" role="status">
                {move.isSuccess && url.trim() === webhook.url ? 'Saved' : ''}
              </Text>
            </Group>
          </Stack>
        </form>
        <div>
          <Text fw={600} size="sm">
            Signing key
          </Text>
          <Text size="sm" c="dimmed" mb="xs">
            Kept encrypted and never shown again. A new one counts at once, also for what still waits.
          </Text>
          {replace.error && <Problem error={replace.error} title="Not replaced" />}
          <Button variant="default" loading={replace.isPending} onClick={() => replace.mutate()}>
            Replace the signing key
          </Button>
        </div>
      </Stack>
      {replace.data && (
        <ShownOnce
          title="The new signing key"
          secret={replace.data}
          warning="Copy the key now and give it to your program: the old one counts no more."
          onClose={() => replace.reset()}
        />
      )}
    </Section>
  );
}
