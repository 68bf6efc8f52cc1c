/** Tells providers of the disconnects that they were not told of: they were away, or the process ended first. */
import type { ChannelView } from '../connectors/connector.ts';
import { isConnected } from '../model/channel.ts';
import { PatchbayError, ProviderError } from '../model/errors.ts';
import { getChannel } from '../store/channels.ts';
import { dropFarewell, dueFarewells, type Farewell } from '../store/farewells.ts';
import type { Engine } from './engine.ts';
import { Worker } from './worker.ts';

type Parts = Pick<Engine, 'database' | 'channels' | 'contexts' | 'vault' | 'log'>;

const GIVE_UP_AFTER = 12;
/** What may go away by itself. */
const PASSING = new Set(['retry', 'unknown-outcome', 'rate-limited']);

export function farewellSayer(parts: Parts): Worker {
  return new Worker({
    name: 'farewells',
    restMs: 60_000,
    log: parts.log,
    work: async () => {
      const due = await dueFarewells(parts.database);
      for (const farewell of due) await sayOne(parts, farewell);
      return due.length;
    },
  });
}

async function sayOne(parts: Parts, farewell: Farewell): Promise<void> {
  const { workspaceId, channelId } = farewell;
  const done = () => dropFarewell(parts.database, workspaceId, channelId);
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
    // The settings that it was connected with are gone: the provider cannot be reached in its name any more.
    const settingMissing = error instanceof PatchbayError && error.code === 'setting-missing';
    if (!(error instanceof ProviderError) && !settingMissing) throw error;
    const passing = error instanceof ProviderError && PASSING.has(error.class);
    const givenUp = !passing || farewell.attempts >= GIVE_UP_AFTER;
    parts.log.warn({ channel: channelId, err: error, givenUp }, 'the provider could not be told of a disconnect');
    if (givenUp) await done();
  }
}
