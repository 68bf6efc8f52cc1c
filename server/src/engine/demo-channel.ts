import { isConnected } from '../model/channel.ts';
import type { ChannelRow } from '../store/channels.ts';
import type { Engine } from './engine.ts';

const SOURCE = 'chatplugin';

/**
 * The live chat that the demo page shows: the newest connected one of the default workspace. Where there is none, one
 * named "Demo" is made; asking again, or twice at once, gives the same one.
 */
export async function demoChannel(engine: Engine): Promise<ChannelRow> {
  const workspaceId = engine.defaultWorkspaceId;
  const rows = await engine.channels.list(workspaceId, { sources: [SOURCE], newestFirst: true });
  const newest = rows.find((row) => isConnected(row.status));
  if (newest) return newest;
  return engine.channels.connect({ workspaceId, source: SOURCE, input: { name: 'Demo' }, sandbox: false, existing: 'reuse' });
}
