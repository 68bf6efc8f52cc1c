/** Channels of somebody's own source: Airy's clients know them by that source's name, and by its own ids. */
import type { ChannelRow } from '../../store/channels.ts';

/** The source that all of them have in common here. */
export const CUSTOM = 'custom';

/** What a channel's source and its id there are called on this surface. */
export function addressOf({ source, sourceChannelId, settings }: Pick<ChannelRow, 'source' | 'sourceChannelId' | 'settings'>) {
  const { source_id: ownSource, source_channel_id: ownId } = settings;
  if (source !== CUSTOM || typeof ownSource !== 'string' || typeof ownId !== 'string') {
    return { source, source_channel_id: sourceChannelId };
  }
  return { source: ownSource, source_channel_id: ownId };
}
