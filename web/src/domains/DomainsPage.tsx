import { Box, Button, Group, Modal, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconAlertTriangle, IconAt, IconPlus, IconRefresh } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { addDomain, deleteDomain, domainsQuery, verifyDomain } from '../api/domains.ts';
import { queryClient } from '../api/query-client.ts';
import type { EmailDomain } from '../api/types.ts';
import { Confirm } from '../components/Confirm.tsx';
import { EmptyState } from '../components/EmptyState.tsx';
import { Notice } from '../components/Notice.tsx';
import { Page, Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import { Badge } from '../components/StatusBadge.tsx';
import { ago } from '../components/time.ts';
import { DnsRecord } from './DnsRecord.tsx';
import classes from './domains.module.css';

const STATUSES = {
  verified: { words: 'Verified', tone: 'good' },
  warning: { words: 'Records went missing', tone: 'warning' },
  pending: { words: 'Not checked yet', tone: 'warning' },
  failed: { words: 'Records missing', tone: 'bad' },
} as const;

/** The domains that one's own mail server sends for: what to set in the DNS, and whether it is there. */
export function DomainsPage() {
  const { data: domains, error, isPending, refetch } = useQuery(domainsQuery);
  const [adding, setAdding] = useState(false);
  const add = (
    <Button leftSection={<IconPlus size={18} />} onClick={() => setAdding(true)}>
      Add a domain
    </Button>
  );
  return (
    <Page title="Mail domains" about="What the built-in mail server needs in your DNS, so that others trust its mail." actions={add}>
      {error && <Problem error={error} title="The domains could not be read" onRetry={() => void refetch()} />}
      {isPending && <Skeleton height={200} radius="md" aria-hidden />}
      {domains?.length === 0 && (
        <div className={classes.empty}>
          <EmptyState icon={IconAt} title="No mail domain yet" action={add}>
            Needed only for mailboxes of the built-in mail server; Microsoft 365, Gmail and your own servers bring theirs.
          </EmptyState>
        </div>
      )}
      {domains?.map((domain) => (
        <Domain key={domain.id} domain={domain} />
      ))}
      {adding && <AddDomain onClose={() => setAdding(false)} />}
    </Page>
  );
}

function Domain({ domain }: { domain: EmailDomain }) {
  const [asking, setAsking] = useState(false);
  const { words, tone } = STATUSES[domain.status];
  const check = useMutation({
    mutationFn: () => verifyDomain(domain.id),
    onSuccess: (fresh) => queryClient.setQueryData(domainsQuery.queryKey, (all) => all?.map((one) => (one.id === fresh.id ? fresh : one))),
  });
  return (
    <Section>
      <div className={classes.head}>
        <Group gap="sm">
          <Text fw={600} fz="lg" component="h2" m={0}>
            {domain.domain}
          </Text>
          <Badge tone={tone}>{words}</Badge>
          <Text size="sm" c="dimmed" role="status">
            {domain.checkedAt ? `checked ${ago(domain.checkedAt)}` : ''}
          </Text>
        </Group>
        <Group gap={4}>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconRefresh size={15} />}
            loading={check.isPending}
            onClick={() => check.mutate()}
          >
            Check again
          </Button>
          <Button size="compact-sm" variant="subtle" color="red" onClick={() => setAsking(true)} aria-label={`Remove ${domain.domain}`}>
            Remove
          </Button>
        </Group>
      </div>
      {domain.status === 'warning' && domain.failingSince && (
        <Box mb="md">
          <Notice tone="warning" icon={IconAlertTriangle} title={`Records are missing, first seen ${ago(domain.failingSince)}`}>
            Mail still comes and goes. After three days without them the domain counts as not verified.
          </Notice>
        </Box>
      )}
      {check.error && <Problem error={check.error} title="The check did not work" />}
      <div className={classes.records}>
        {domain.records.map((record) => (
          <DnsRecord key={record.purpose} record={record} />
        ))}
      </div>
      {asking && (
        <Confirm
          title={`Remove ${domain.domain}?`}
          verb="Remove"
          failed="Not removed"
          action={() => deleteDomain(domain.id).then(() => queryClient.invalidateQueries({ queryKey: domainsQuery.queryKey }))}
          onClose={() => setAsking(false)}
        >
          Its signing key is deleted. To use the domain again, its DNS records must be set anew.
        </Confirm>
      )}
    </Section>
  );
}

function AddDomain({ onClose }: { onClose: () => void }) {
  const [domain, setDomain] = useState('');
  const add = useMutation({
    mutationFn: () => addDomain(domain.trim()),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: domainsQuery.queryKey });
      onClose();
    },
  });
  const wrong = add.error instanceof ApiError ? add.error.fields.domain?.join('; ') : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="Add a mail domain">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Domain"
            placeholder="example.com"
            value={domain}
            onChange={(event) => setDomain(event.currentTarget.value)}
            error={wrong}
            data-autofocus
            required
          />
          {add.error && !wrong && <Problem error={add.error} title="Not added" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={add.isPending} disabled={!domain.trim()}>
              Add
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
