import { Button, Skeleton, Stack } from '@mantine/core';
import { IconPlus, IconWebhook } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Webhook } from '../api/types.ts';
import { webhooksQuery } from '../api/webhooks.ts';
import { catalogQuery } from '../api/workspace.ts';
import { EmptyState } from '../components/EmptyState.tsx';
import { Page } from '../components/Page.tsx';
import { Problem, sentence } from '../components/Problem.tsx';
import rows from '../components/Rows.module.css';
import { Badge } from '../components/StatusBadge.tsx';
import { eventWords } from './events.ts';
import { useFilterWords } from './filter-words.ts';
import { NewWebhook } from './NewWebhook.tsx';
import { STATUSES } from './status.ts';

/** The addresses that are told what happens; those that need somebody first. */
export function WebhooksPage() {
  const { data: webhooks, error, isPending, refetch } = useQuery(webhooksQuery);
  const [adding, setAdding] = useState(false);
  const add = (
    <Button leftSection={<IconPlus size={18} />} onClick={() => setAdding(true)}>
      New webhook
    </Button>
  );
  const sorted = webhooks?.toSorted((one, other) => Number(other.status === 'disabled') - Number(one.status === 'disabled'));
  return (
    <Page title="Webhooks" about="Your own programs are told what happens, by signed HTTP requests." actions={add}>
      {error && <Problem error={error} title="The webhooks could not be read" onRetry={() => void refetch()} />}
      {isPending && (
        <Stack gap="xs" aria-hidden>
          <Skeleton height={72} radius="lg" />
          <Skeleton height={72} radius="lg" />
        </Stack>
      )}
      {sorted?.length === 0 && (
        <div className={rows.empty}>
          <EmptyState icon={IconWebhook} title="No webhook yet" action={add}>
            Give the address of a program of yours, and it hears of every message as it comes in. Nothing is lost while it is away.
          </EmptyState>
        </div>
      )}
      {sorted && sorted.length > 0 && (
        <ul className={rows.list}>
          {sorted.map((webhook) => (
            <li key={webhook.id}>
              <Row webhook={webhook} />
            </li>
          ))}
        </ul>
      )}
      {adding && <NewWebhook onClose={() => setAdding(false)} />}
    </Page>
  );
}

function Row({ webhook }: { webhook: Webhook }) {
  const { data: catalog } = useQuery(catalogQuery);
  const filter = useFilterWords(webhook);
  const { words, tone } = STATUSES[webhook.status];
  return (
    <Link to="/webhooks/$webhookId" params={{ webhookId: webhook.id }} className={rows.row}>
      <span className={rows.words}>
        <span className={rows.title}>{eventWords(webhook.event, catalog)}</span>
        <span className={rows.small} style={{ display: 'block' }}>
          {webhook.url}
          {filter && ` · ${filter}`}
        </span>
        {webhook.statusReason && <span className={rows.small}>{sentence(webhook.statusReason)}</span>}
      </span>
      <Badge tone={tone}>{words}</Badge>
    </Link>
  );
}
