/** New credentials or settings for a channel that is there already, and switching it off and on: its id and history stay. */
import type { Connected } from '../connectors/connector.ts';
import { isConnected } from '../model/channel.ts';
import { invalid } from '../model/errors.ts';
import type { ChannelRow } from '../store/channels.ts';
import { checkInput } from './channel-input.ts';
import type { Engine } from './engine.ts';
import { checkHealth } from './health.ts';

type Parts = Pick<Engine, 'database' | 'channels' | 'contexts' | 'sandboxes' | 'log'>;

const SWITCHED_OFF = 'switched off';

/**
 * Connects the channel's account again with what is given, and with what is known of it where nothing is. Asks the provider
 * first: nothing changes when it refuses. Throws as `connect` does, and `invalid` when it is another account.
 */
export async function reconnect(parts: Parts, row: ChannelRow, input: Record<string, unknown>): Promise<ChannelRow> {
  const { workspaceId, id } = row;
  const connector = parts.channels.connectorOf(row.source);
  const { credentials, settings } = parts.channels.view(row);
  // A mailbox is named by its address, which is none of its settings.
  const checked = checkInput(connector, { email: row.sourceChannelId, ...settings, ...credentials, ...input });
  if (row.sandbox) await parts.sandboxes.prepare(workspaceId, row.source, checked);
  const context = parts.contexts.for({ workspaceId, channelId: id, sandbox: row.sandbox });
  const connected = (await connector.connect(checked, context)) as Connected<Record<string, unknown>, Record<string, unknown>>;
  if (connected.sourceChannelId !== row.sourceChannelId) {
    throw invalid('input', `belongs to another account (${connected.sourceChannelId}): connect it as a channel of its own`);
  }
  return parts.channels.renew(row, connected);
}

/** As `reconnect`, but a channel that was switched off stays off; one that was disconnected works again. */
export async function reconfigure(parts: Parts, row: ChannelRow, input: Record<string, unknown>): Promise<ChannelRow> {
  const renewed = await reconnect(parts, row, input);
  return row.status === 'inactive' && row.credentials ? switchOff(parts, renewed) : renewed;
}

/** The channel neither takes nor sends any more. Its credentials stay, and its provider is not told, so that it can be switched on again. */
export async function switchOff(parts: Pick<Engine, 'channels'>, row: ChannelRow): Promise<ChannelRow> {
  if (!isConnected(row.status)) return row;
  return parts.channels.change(row.workspaceId, row.id, { status: 'inactive', statusReason: SWITCHED_OFF });
}

/**
 * Switches a channel on, and asks its provider how it is doing. One that was disconnected, or that needs somebody's consent,
 * is connected again with what is known of it. Throws as `reconnect` does.
 */
export async function switchOn(parts: Parts, row: ChannelRow): Promise<ChannelRow> {
  if (isConnected(row.status)) return row;
  const { workspaceId, id } = row;
  const { credentials, consent } = parts.channels.connectorOf(row.source);
  const hasSecrets = Object.keys(credentials.properties).length > 0;
  if (hasSecrets && (!row.credentials || consent)) return reconnect(parts, row, {});
  await parts.channels.change(workspaceId, id, { status: 'active', statusReason: null });
  return checkHealth(parts, workspaceId, id);
}
