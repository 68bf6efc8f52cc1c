/** Repeats the disconnects that a provider could not be told of. */
import type { ChannelView } from '../connectors/connector.ts';
import { isConnected } from '../model/channel.ts';
import { ProviderError } from '../model/errors.ts';
import { getChannel } from '../store/channels.ts';
import type { Engine } from './engine.ts';
import { Worker } from './worker.ts';

type Parts = Pick<Engine, 'database' | 'channels' | 'contexts' | 'vault' | 'log'>;

interface Farewell {
  workspaceId: string;
  channelId: string;
  source: string;
  channel: Buffer;
  keyId: string;
  attempts: number;
}

const GIVE_UP_AFTER = 12;

export function farewellSayer(parts: Parts): Worker {
  return new Worker({
    name: 'farewells',
    restMs: 60_000,
    log: parts.log,
    work: async () => {
      const due = await parts.database.query<Farewell>(
        `update farewells set attempts = attempts + 1, run_at = now() + make_interval(mins => least(60, 2 ^ attempts)::integer)
         where (workspace_id, channel_id) in (
           select workspace_id, channel_id from farewells where run_at <= now() limit 10 for update skip locked)
         returning workspace_id as "workspaceId", channel_id as "channelId", source, channel, key_id as "keyId", attempts`,
      );
      for (const farewell of due.rows) await sayOne(parts, farewell);
      return due.rows.length;
    },
  });
}

async function sayOne(parts: Parts, farewell: Farewell): Promise<void> {
  const { workspaceId, channelId } = farewell;
  const done = () => parts.database.query('delete from farewells where workspace_id = $1 and channel_id = $2', [workspaceId, channelId]);
  const row = await getChannel(parts.database, workspaceId, channelId);
  if (!row || isConnected(row.status)) {
    await done();
    return;
  }
  const context = `channel ${workspaceId} ${channelId}`;
  const view = parts.vault.open(farewell.channel, farewell.keyId, context) as ChannelView;
  try {
    const connector = parts.channels.connectorOf(farewell.source);
    const lastOfAccount = await parts.channels.isLastOfAccount(row);
    await connector.disconnect?.(view, parts.contexts.for({ workspaceId, channelId, sandbox: view.sandbox }), { lastOfAccount });
    await done();
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const givenUp =
      farewell.attempts >= GIVE_UP_AFTER ||
      (error.class !== 'retry' && error.class !== 'unknown-outcome' && error.class !== 'rate-limited');
    parts.log.warn({ channel: channelId, class: error.class, givenUp }, `the provider could not be told of a disconnect: ${error.message}`);
    if (givenUp) await done();
  }
}
