import { useQuery } from '@tanstack/react-query';
import type { Webhook } from '../api/types.ts';
import { channelsQuery } from '../api/workspace.ts';

/** What narrows a subscription, in words; empty when nothing does. */
export function useFilterWords({ eventFilters }: Webhook): string {
  const { data: channels } = useQuery(channelsQuery);
  return (eventFilters ?? [])
    .map(({ key, value }) => (key === 'channelId' ? `only ${channels?.find(({ id }) => id === value)?.name ?? value}` : `${key}: ${value}`))
    .join(' · ');
}
