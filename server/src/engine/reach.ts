/** Whether somebody can be reached on a channel, as far as the provider tells. */
import { isConnected } from '../model/channel.ts';
import { invalid, PatchbayError } from '../model/errors.ts';
import type { ChannelRow } from '../store/channels.ts';
import { hasOptedOut } from '../store/consent.ts';
import type { Engine } from './engine.ts';

export interface Reach {
  kind: string;
  value: string;
  /** null: the provider cannot tell before something is sent. */
  reachable: boolean | null;
  /** What the recipient's device takes, in the provider's words. */
  features: string[];
  optedOut: boolean;
}

/** An address as the channel's contacts are known by it. Throws `invalid` for what is none. */
export function addressOn(engine: Pick<Engine, 'channels'>, channel: ChannelRow, address: string): { kind: string; value: string } {
  const connector = engine.channels.connectorOf(channel.source);
  const value = address.trim();
  if (!value) throw invalid('identifierValue', 'is required');
  return connector.address?.(value) ?? { kind: connector.identity.kind, value };
}

/** Asks the provider about an address. Throws `ProviderError`, `channel-inactive`, and `invalid` for what is no address. */
export async function reach(engine: Engine, channel: ChannelRow, address: string): Promise<Reach> {
  const { workspaceId, id: channelId } = channel;
  const connector = engine.channels.connectorOf(channel.source);
  if (!isConnected(channel.status)) throw new PatchbayError('channel-inactive', `${channel.name} is not connected`);
  const identity = addressOn(engine, channel, address);
  const optedOut = await hasOptedOut(engine.database, workspaceId, channelId, identity);
  if (!connector.reach) return { ...identity, reachable: null, features: [], optedOut };
  const context = engine.contexts.for({ workspaceId, channelId, sandbox: channel.sandbox });
  const answer = await connector.reach(identity, engine.channels.view(channel), context);
  return { ...identity, reachable: answer.reachable, features: answer.features ?? [], optedOut };
}
