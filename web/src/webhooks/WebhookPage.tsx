import { Button, Skeleton, Stack } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconWebhook } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import type { Webhook } from '../api/types.ts';
import { changeWebhook, deleteWebhook, testWebhook, webhookQuery, webhooksQuery } from '../api/webhooks.ts';
import { catalogQuery } from '../api/workspace.ts';
import { BackLink } from '../components/BackLink.tsx';
import { ButtonLink } from '../components/ButtonLink.tsx';
import { Confirm } from '../components/Confirm.tsx';
import { EmptyState } from '../components/EmptyState.tsx';
import { Notice } from '../components/Notice.tsx';
import { Page } from '../components/Page.tsx';
import { Problem, sentence } from '../components/Problem.tsx';
import { Badge } from '../components/StatusBadge.tsx';
import { DeliveryLog } from './DeliveryLog.tsx';
import { eventWords } from './events.ts';
import { useFilterWords } from './filter-words.ts';
import { STATUSES } from './status.ts';
import { WebhookSettings } from './WebhookSettings.tsx';

/** One subscription: whether it is on, what was posted, and its end. */
export function WebhookPage() {
  const { webhookId } = useParams({ from: '/webhooks/$webhookId' });
  const { data: webhook, error, refetch } = useQuery(webhookQuery(webhookId));
  if (!webhook && error instanceof ApiError && (error.status === 404 || error.status === 422)) {
    return (
      <EmptyState
        icon={IconWebhook}
        title="There is no such webhook"
        action={
          <ButtonLink to="/webhooks" variant="light" mt="xs">
            Every webhook
          </ButtonLink>
        }
      />
    );
  }
  if (error && !webhook) {
    return (
      <Page title="Webhook">
        <Problem error={error} onRetry={() => void refetch()} />
      </Page>
    );
  }
  return webhook ? <Shown key={webhook.id} webhook={webhook} /> : <Skeleton height={300} m="xl" aria-hidden />;
}

function Shown({ webhook }: { webhook: Webhook }) {
  const navigate = useNavigate();
  const { data: catalog } = useQuery(catalogQuery);
  const filter = useFilterWords(webhook);
  const [deleting, setDeleting] = useState(false);
  const test = useMutation({
    mutationFn: () => testWebhook(webhook.id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['webhook-log', webhook.id] }),
  });
  const change = useMutation({
    mutationFn: (status: 'active' | 'inactive') => changeWebhook(webhook.id, { status }),
    onSuccess: (changed) => {
      queryClient.setQueryData(webhookQuery(webhook.id).queryKey, changed);
      return queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey });
    },
  });
  const on = webhook.status === 'active';
  const { words, tone } = STATUSES[webhook.status];
  return (
    <Page
      title={eventWords(webhook.event, catalog)}
      beside={<Badge tone={tone}>{words}</Badge>}
      about={[webhook.url, filter].filter(Boolean).join(' · ')}
      back={<BackLink to="/webhooks">Webhooks</BackLink>}
      actions={
        <>
          <Button variant="default" loading={test.isPending} disabled={!on} onClick={() => test.mutate()}>
            Send a test
          </Button>
          <Button variant={on ? 'default' : 'filled'} loading={change.isPending} onClick={() => change.mutate(on ? 'inactive' : 'active')}>
            {on ? 'Pause' : 'Resume'}
          </Button>
          <Button variant="light" color="red" onClick={() => setDeleting(true)}>
            Delete…
          </Button>
        </>
      }
    >
      <Stack gap="md" mb="md">
        {webhook.status === 'disabled' && (
          <Notice tone="bad" icon={IconAlertTriangle} title="It was switched off" role="status">
            {webhook.statusReason && `${sentence(webhook.statusReason)} `}Repair your program, then resume: it goes on where it was.
          </Notice>
        )}
        {webhook.status === 'inactive' && (
          <Notice tone="neutral" icon={IconAlertTriangle} role="status">
            It is paused: what happens meanwhile is not posted later.
          </Notice>
        )}
        {test.isSuccess && (
          <Notice tone="good" icon={IconCircleCheck} role="status">
            A made-up event is on its way; the log below shows how it was answered.
          </Notice>
        )}
        {(test.error ?? change.error) && <Problem error={(test.error ?? change.error)!} title="That did not work" />}
      </Stack>
      <DeliveryLog webhook={webhook} />
      <WebhookSettings webhook={webhook} />
      {deleting && (
        <Confirm
          title="Delete this webhook?"
          verb="Delete"
          failed="Not deleted"
          action={async () => {
            await deleteWebhook(webhook.id);
            await navigate({ to: '/webhooks' });
            await queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey });
          }}
          onClose={() => setDeleting(false)}
        >
          Nothing more is posted to {webhook.url} for this event, and its log goes too.
        </Confirm>
      )}
    </Page>
  );
}
