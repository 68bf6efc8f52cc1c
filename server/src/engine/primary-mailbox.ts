/** The mailbox that a workspace cannot do without (decisions.md B5): chosen, else the first one that works. */
import type { ChannelRow } from '../store/channels.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import { choosePrimaryMailbox } from '../store/mailboxes.ts';
import type { Engine } from './engine.ts';

/** Moves the mark to another mailbox. */
export async function makePrimary(parts: Pick<Engine, 'database'>, mailbox: ChannelRow): Promise<void> {
  await parts.database.transaction(async (client) => {
    const changed = await choosePrimaryMailbox(client, mailbox);
    await appendEvents(
      client,
      changed.map((channelId) => ({ workspaceId: mailbox.workspaceId, type: 'channel.updated', channelId })),
    );
  });
}
