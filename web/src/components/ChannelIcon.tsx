import { useQuery } from '@tanstack/react-query';
import { catalogQuery, channelsQuery } from '../api/workspace.ts';
import classes from './ChannelIcon.module.css';

/** A source's sign in its own colour, as its connector declares both. */
export function SourceIcon({ color, icon, size = 36 }: { color: string; icon: string; size?: number }) {
  return (
    <span className={classes.tile} style={{ width: size, height: size, background: color, borderRadius: size / 4 }}>
      <svg width={size * 0.58} height={size * 0.58} viewBox="0 0 24 24" fill="#fff" aria-hidden="true">
        <path d={icon} />
      </svg>
    </span>
  );
}

/** The sign of a channel's source; nothing while the catalog is on its way. */
export function ChannelIcon({ channelId, size = 16 }: { channelId: string; size?: number }) {
  const { source } = useChannelOf(channelId);
  return source ? <SourceIcon color={source.color} icon={source.icon} size={size} /> : null;
}

/** A channel and its entry in the catalog. */
export function useChannelOf(channelId: string) {
  const { data: channels } = useQuery(channelsQuery);
  const { data: catalog } = useQuery(catalogQuery);
  const channel = channels?.find(({ id }) => id === channelId);
  return { channel, source: catalog?.find(({ source }) => source === channel?.source) };
}
