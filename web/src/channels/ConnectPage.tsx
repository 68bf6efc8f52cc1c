import { Button, Group, Skeleton, Stack } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import type { Candidate, CatalogEntry } from '../api/types.ts';
import { catalogQuery, channelsQuery, connectChannel } from '../api/workspace.ts';
import { BackLink } from '../components/BackLink.tsx';
import { SourceIcon } from '../components/ChannelIcon.tsx';
import { focusFirstProblem } from '../components/focus-problem.ts';
import { Notice } from '../components/Notice.tsx';
import { Page, Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import { SchemaForm } from '../components/SchemaForm.tsx';
import { filledValues, missingFields, serverProblems, startValues, type Values } from '../components/schema-values.ts';
import { GuideAside } from '../guides/GuideAside.tsx';
import { guideOf } from '../guides/guides.ts';
import { NotFound } from '../shell/NotFound.tsx';
import { AccountFinder } from './AccountFinder.tsx';
import classes from './channels.module.css';
import { WithPreview } from './WithPreview.tsx';

export function ConnectPage() {
  const { source } = useParams({ from: '/channels/new/$source' });
  const { data: catalog, error, refetch } = useQuery(catalogQuery);
  if (error) return <Problem error={error} onRetry={() => void refetch()} />;
  if (!catalog) return <Skeleton height={300} m="xl" aria-hidden />;
  const entry = catalog.find((one) => one.source === source);
  return entry ? <Connect key={source} entry={entry} /> : <NotFound />;
}

/** The form that the connector declares, and the connect. */
function Connect({ entry }: { entry: CatalogEntry }) {
  const navigate = useNavigate();
  const schema = entry.inputSchema;
  const [values, setValues] = useState(() => startValues(schema));
  const [missing, setMissing] = useState<Record<string, string>>({});
  const connect = useMutation({
    mutationFn: () => connectChannel({ source: entry.source, input: filledValues(schema, values) }),
    onSuccess: async ({ id }) => {
      await queryClient.invalidateQueries({ queryKey: channelsQuery.queryKey });
      await navigate({ to: '/channels/$channelId', params: { channelId: id }, search: { connected: true } });
    },
  });
  const refused = connect.error instanceof ApiError ? serverProblems(schema, connect.error.fields) : { fields: {}, rest: [] };
  const showsEveryProblem = Object.keys(refused.fields).length > 0 && refused.rest.length === 0;

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const found = missingFields(schema, values);
    setMissing(found);
    const form = event.currentTarget;
    if (Object.keys(found).length > 0) focusFirstProblem(form);
    else connect.mutate(undefined, { onError: () => focusFirstProblem(form) });
  };
  const choose = (candidate: Candidate) => setValues((old) => ({ ...old, ...candidate.input }));

  const live = entry.source === 'chatplugin';
  const form = (
    <Section>
      <form onSubmit={submit} noValidate>
        <Stack maw={720}>
          {entry.notice && (
            <Notice tone="warning" icon={IconAlertTriangle}>
              {entry.notice}
            </Notice>
          )}
          <SchemaForm schema={schema} values={values} onChange={setValues} problems={{ ...refused.fields, ...missing }} />
          {entry.canExplore && <AccountFinder source={entry.source} schema={schema} values={values} onChoose={choose} />}
          {connect.error && !showsEveryProblem && <Problem error={connect.error} title="Not connected; nothing was stored" />}
          <Group>
            <Button type="submit" loading={connect.isPending}>
              Connect
            </Button>
            <Button component={Link} to="/channels/new" variant="default">
              Cancel
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  );

  return (
    <Page
      sign={<SourceIcon color={entry.color} icon={entry.icon} size={36} />}
      title={`Connect ${entry.title}`}
      about={entry.description}
      back={<BackLink to="/channels/new">Every channel</BackLink>}
    >
      {live ? (
        <WithPreview shown config={values.config as Values | undefined}>
          {form}
        </WithPreview>
      ) : (
        <div className={classes.columns}>
          {form}
          <GuideAside name={guideOf(entry, values)} />
        </div>
      )}
    </Page>
  );
}
