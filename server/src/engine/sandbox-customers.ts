/** Simulated customers: people who write to channels made with test keys, through the same door as real ones. */
import { type Content, mediaOf } from '../model/content.ts';
import { PatchbayError } from '../model/errors.ts';
import type { ChannelRow } from '../store/channels.ts';
import type { Engine } from './engine.ts';

/**
 * Lets somebody write to a sandbox channel; resolves with the provider's id of their message once it has come in. A file
 * is one of our stored ones. Throws `PatchbayError`: `not-supported` for real channels and for sources that have no
 * stand-in, `invalid` for a file that is not there.
 */
export async function simulateCustomer(
  engine: Pick<Engine, 'sandboxes' | 'media'>,
  channel: ChannelRow,
  write: { from: string; name?: string; message: Content },
): Promise<{ providerId: string }> {
  if (!channel.sandbox) throw new PatchbayError('not-supported', 'only channels made with test keys have simulated customers');
  const { from, name, message } = write;
  const id = mediaOf(message)[0]?.id;
  const file = id ? await engine.media.open(channel.workspaceId, id) : undefined;
  const providerId = await engine.sandboxes.customerWrites(channel.workspaceId, channel.id, {
    from,
    content: message,
    ...(name ? { name } : {}),
    ...(file ? { file: { data: file.data, mimeType: file.mimeType } } : {}),
  });
  return { providerId };
}
