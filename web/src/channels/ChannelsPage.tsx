import { Button, Skeleton, Stack } from '@mantine/core';
import { IconPlugConnected, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { channelsQuery } from '../api/workspace.ts';
import { EmptyState } from '../components/EmptyState.tsx';
import { Page } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import { ChannelRow } from './ChannelRow.tsx';
import classes from './channels.module.css';

const URGENCY = ['failed', 'warning', 'pending', 'setting-up', 'active', 'inactive', 'deleted'];

/** Every connected account and how it does; what needs somebody comes first. */
export function ChannelsPage() {
  const { data: channels, error, isPending, refetch } = useQuery(channelsQuery);
  const sorted = channels?.toSorted(
    (one, other) => URGENCY.indexOf(one.status) - URGENCY.indexOf(other.status) || one.name.localeCompare(other.name),
  );
  return (
    <Page
      title="Channels"
      about="The accounts through which your customers reach you."
      actions={
        <Button component={Link} to="/channels/new" leftSection={<IconPlus size={18} />}>
          Connect a channel
        </Button>
      }
    >
      {error && <Problem error={error} title="The channels could not be read" onRetry={() => void refetch()} />}
      {isPending && (
        <Stack gap="xs" aria-hidden>
          <Skeleton height={76} radius="md" />
          <Skeleton height={76} radius="md" />
          <Skeleton height={76} radius="md" />
        </Stack>
      )}
      {sorted?.length === 0 && (
        <div className={classes.empty}>
          <EmptyState
            icon={IconPlugConnected}
            title="No channel yet"
            action={
              <Button component={Link} to="/channels/new" variant="light" mt="xs">
                Choose the first
              </Button>
            }
          >
            A live chat on your website works within a minute and needs no account anywhere.
          </EmptyState>
        </div>
      )}
      {sorted && sorted.length > 0 && (
        <ul className={classes.list}>
          {sorted.map((channel) => (
            <li key={channel.id}>
              <ChannelRow channel={channel} />
            </li>
          ))}
        </ul>
      )}
    </Page>
  );
}
