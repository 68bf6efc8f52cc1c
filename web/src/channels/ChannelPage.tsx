import { Button, Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle, IconPlugConnectedX } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { putChannel } from '../api/cache.ts';
import { ApiError } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import type { ChannelDetails } from '../api/types.ts';
import { catalogQuery, channelQuery, checkChannel } from '../api/workspace.ts';
import { BackLink } from '../components/BackLink.tsx';
import { ButtonLink } from '../components/ButtonLink.tsx';
import { SourceIcon } from '../components/ChannelIcon.tsx';
import { EmptyState } from '../components/EmptyState.tsx';
import { Notice } from '../components/Notice.tsx';
import { Page } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import { StatusBadge } from '../components/StatusBadge.tsx';
import { GuideButton } from '../guides/GuideButton.tsx';
import { guideOf } from '../guides/guides.ts';
import { adviceFor } from './advice.ts';
import { ChannelTabs } from './ChannelTabs.tsx';
import classes from './channels.module.css';
import { GrantAccess } from './GrantAccess.tsx';

const TONES: Partial<Record<ChannelDetails['status'], 'warning' | 'bad'>> = { failed: 'bad', warning: 'warning', pending: 'warning' };

/** One connected account: how it does, how it is set up, and its end. */
export function ChannelPage() {
  const { channelId } = useParams({ from: '/channels/$channelId' });
  const { data: channel, error, refetch } = useQuery(channelQuery(channelId));
  if (!channel && error instanceof ApiError && (error.status === 404 || error.status === 422)) return <NoSuchChannel />;
  if (error && !channel) {
    return (
      <Page title="Channel">
        <Problem error={error} onRetry={() => void refetch()} />
      </Page>
    );
  }
  return channel ? <Shown key={channel.id} channel={channel} /> : <Skeleton height={300} m="xl" aria-hidden />;
}

function NoSuchChannel() {
  return (
    <EmptyState
      icon={IconPlugConnectedX}
      title="There is no such channel"
      action={
        <ButtonLink to="/channels" variant="light" mt="xs">
          Every channel
        </ButtonLink>
      }
    >
      It may belong to another workspace, or was deleted.
    </EmptyState>
  );
}

function Shown({ channel }: { channel: ChannelDetails }) {
  const { connected, consent, reason } = useSearch({ from: '/channels/$channelId' });
  const { data: catalog } = useQuery(catalogQuery);
  const entry = catalog?.find(({ source }) => source === channel.source);
  const check = useMutation({
    mutationFn: () => checkChannel(channel.id),
    onSuccess: (checked) => putChannel(queryClient, checked),
  });
  const advice = adviceFor(channel);
  return (
    <Page
      sign={entry && <SourceIcon color={entry.color} icon={entry.icon} size={36} />}
      title={channel.name}
      beside={<StatusBadge status={channel.status} />}
      about={[entry?.title ?? channel.source, channel.sandbox && 'sandbox: no provider is ever called'].filter(Boolean).join(' · ')}
      actions={
        <>
          {entry && <GuideButton name={guideOf(entry, channel.settings)} />}
          <ButtonLink to="/inbox" search={{ channel: channel.id }} variant="default">
            Its conversations
          </ButtonLink>
          <Button variant="default" loading={check.isPending} onClick={() => check.mutate()}>
            Check now
          </Button>
        </>
      }
      back={<BackLink to="/channels">Channels</BackLink>}
    >
      <div className={classes.notices}>
        {connected && channel.status !== 'failed' && (
          <Notice tone="good" icon={IconCircleCheck} title={`${channel.name} is connected`} role="status">
            {channel.setup.length > 0
              ? 'A last step: take over what stands below where it says.'
              : 'What customers write shows in the inbox from now on.'}
          </Notice>
        )}
        {consent === 'granted' && channel.status !== 'failed' && (
          <Notice tone="good" icon={IconCircleCheck} title="Access was granted" role="status" />
        )}
        {consent === 'refused' && (
          <Notice tone="bad" icon={IconAlertTriangle} title="Access was not granted" role="alert">
            {reason}
          </Notice>
        )}
        {check.error && <Problem error={check.error} title="The check did not work" />}
        {advice && (
          <Notice tone={TONES[channel.status] ?? 'neutral'} icon={IconInfoCircle}>
            {advice}
          </Notice>
        )}
        {channel.grantsAccess && (channel.status === 'pending' || channel.status === 'failed') && <GrantAccess channel={channel} />}
      </div>
      <ChannelTabs channel={channel} entry={entry} />
    </Page>
  );
}
