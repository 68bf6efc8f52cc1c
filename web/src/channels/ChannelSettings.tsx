import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import type { CatalogEntry, ChannelDetails } from '../api/types.ts';
import { type ChannelChange, changeChannel, channelQuery, channelsQuery } from '../api/workspace.ts';
import { focusFirstProblem } from '../components/focus-problem.ts';
import { Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import { SchemaForm } from '../components/SchemaForm.tsx';
import { changedSettings, editablePart, missingFields, serverProblems, startValues, type Values } from '../components/schema-values.ts';
import { WithPreview } from './WithPreview.tsx';

/** Name and settings. */
export function ChannelSettings({ channel, entry }: { channel: ChannelDetails; entry: CatalogEntry }) {
  const settings = useMemo(() => editablePart(entry.settingsSchema), [entry]);
  const live = entry.source === 'chatplugin';
  const [name, setName] = useState(channel.name);
  const [values, setValues] = useState<Values>(() => startValues(settings, channel.settings));
  const [missing, setMissing] = useState<Record<string, string>>({});
  const save = useMutation({
    mutationFn: (change: ChannelChange) => changeChannel(channel.id, change),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: channelQuery(channel.id).queryKey });
      await queryClient.invalidateQueries({ queryKey: channelsQuery.queryKey });
    },
  });
  const fieldErrors = save.error instanceof ApiError ? save.error.fields : {};
  const inSettings = serverProblems(settings, fieldErrors);
  const told = Object.keys(inSettings.fields).length;

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const found = missingFields(settings, values);
    setMissing(found);
    const form = event.currentTarget;
    if (Object.keys(found).length > 0) return focusFirstProblem(form);
    const changed = changedSettings(settings, values);
    const change = {
      name: name.trim(),
      ...(Object.keys(changed).length > 0 ? { settings: changed } : {}),
    };
    save.mutate(change, { onError: () => focusFirstProblem(form) });
  };

  const form = (
    <Section title="Settings">
      <form onSubmit={submit} noValidate>
        <Stack>
          <TextInput
            label="Name"
            description="As it is called here."
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
          />
          <SchemaForm
            schema={settings}
            values={values}
            onChange={setValues}
            problems={{ ...inSettings.fields, ...missing }}
            openGroups={live}
          />
          {save.error && told === 0 && <Problem error={save.error} title="Not saved" />}
          <Group>
            <Button type="submit" loading={save.isPending} disabled={!name.trim()}>
              Save
            </Button>
            <Text size="sm" c="var(--pb-good-text)" role="status">
              {save.isSuccess ? 'Saved' : ''}
            </Text>
          </Group>
        </Stack>
      </form>
    </Section>
  );
  return (
    <WithPreview shown={live} config={values.config as Values | undefined}>
      {form}
    </WithPreview>
  );
}
