/** New credentials or settings for a channel that is there already: its id and history stay. */
import type { Connected } from '../connectors/connector.ts';
import { invalid } from '../model/errors.ts';
import type { ChannelRow } from '../store/channels.ts';
import { checkInput } from './channels.ts';
import type { Engine } from './engine.ts';

/**
 * Connects the channel's account again with what is given, and with its settings where nothing is. Asks the provider
 * first: nothing changes when it refuses. Throws as `connect` does, and `invalid` when it is another account.
 */
export async function reconnect(engine: Engine, row: ChannelRow, input: Record<string, unknown>): Promise<ChannelRow> {
  const { workspaceId, id } = row;
  const connector = engine.channels.connectorOf(row.source);
  const { credentials, settings } = row.credentials ? engine.channels.view(row) : { credentials: {}, settings: row.settings };
  const checked = checkInput(connector, { ...settings, ...credentials, ...input });
  if (row.sandbox) await engine.sandboxes.prepare(workspaceId, row.source, checked);
  const context = engine.contexts.for({ workspaceId, channelId: id, sandbox: row.sandbox });
  const connected = (await connector.connect(checked, context)) as Connected<Record<string, unknown>, Record<string, unknown>>;
  if (connected.sourceChannelId !== row.sourceChannelId) {
    throw invalid('input', `belongs to another account (${connected.sourceChannelId}): connect it as a channel of its own`);
  }
  await engine.channels.replaceCredentials(workspaceId, id, connected.credentials);
  return engine.channels.change(workspaceId, id, {
    settings: connected.settings,
    details: connected.details ?? {},
    status: connected.status ?? 'active',
    statusReason: connected.statusReason ?? null,
    deletedAt: null,
  });
}
