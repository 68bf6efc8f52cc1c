import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import type { CatalogEntry, ChannelDetails, Schema } from '../api/types.ts';
import { changeChannel, channelQuery, channelsQuery } from '../api/workspace.ts';
import { focusFirstProblem } from '../components/focus-problem.ts';
import { Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import { SchemaForm } from '../components/SchemaForm.tsx';
import { applies, filledValues, serverProblems, type Values } from '../components/schema-values.ts';

/** New secrets for a channel that is there: they are tried before they count, and the channel keeps its id and history. */
export function ChannelCredentials({ channel, entry }: { channel: ChannelDetails; entry: CatalogEntry }) {
  const secrets = useMemo(() => secretPart(entry.inputSchema, channel.settings), [entry, channel.settings]);
  const broken = channel.status === 'failed';
  const [opened, setOpened] = useState(broken);
  const [values, setValues] = useState<Values>({});
  const replace = useMutation({
    mutationFn: (credentials: Values) => changeChannel(channel.id, { credentials }),
    onSuccess: async () => {
      setValues({});
      setOpened(false);
      await queryClient.invalidateQueries({ queryKey: channelQuery(channel.id).queryKey });
      await queryClient.invalidateQueries({ queryKey: channelsQuery.queryKey });
    },
  });
  if (Object.keys(secrets.properties ?? {}).length === 0) return null;
  const problems = serverProblems(secrets, replace.error instanceof ApiError ? replace.error.fields : {});
  const given = filledValues(secrets, values);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    replace.mutate(given, { onError: () => focusFirstProblem(form) });
  };
  return (
    <Section
      title="Credentials"
      about="Kept encrypted and never shown. New ones are tried at the provider first; the channel, its id and its history stay."
    >
      {!opened ? (
        <Group>
          <Button variant="default" onClick={() => setOpened(true)}>
            Replace the credentials…
          </Button>
          <Text size="sm" c="var(--pb-good-text)" role="status">
            {replace.isSuccess ? 'Replaced' : ''}
          </Text>
        </Group>
      ) : (
        <form onSubmit={submit} noValidate>
          <Stack maw={720}>
            <SchemaForm schema={secrets} values={values} onChange={setValues} problems={problems.fields} />
            <Text size="sm" c="dimmed">
              What you leave empty stays as it is.
            </Text>
            {replace.error && Object.keys(problems.fields).length === 0 && (
              <Problem error={replace.error} title="Not replaced; everything stays as it was" />
            )}
            <Group>
              <Button type="submit" loading={replace.isPending} disabled={Object.keys(given).length === 0}>
                Replace
              </Button>
              {!broken && (
                <Button variant="default" onClick={() => setOpened(false)}>
                  Cancel
                </Button>
              )}
            </Group>
          </Stack>
        </form>
      )}
    </Section>
  );
}

/** The write-only fields of what a connect takes, as far as they are about this channel; none is needed. */
function secretPart(schema: Schema, settings: Values): Schema {
  const own = Object.entries(schema.properties ?? {}).filter(([, field]) => field.secret && !field.hidden && applies(field, settings));
  return { type: 'object', properties: Object.fromEntries(own.map(([name, { when: _when, ...field }]) => [name, field])) };
}
