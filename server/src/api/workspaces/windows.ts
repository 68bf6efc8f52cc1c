/** How long a business may write freely (B24). */
import { capabilitiesOf } from '../../connectors/connector.ts';
import type { Engine } from '../../engine/engine.ts';
import type { WindowRule } from '../../model/capabilities.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { iso } from './schemas/common.ts';

export interface Window {
  serviceWindowExpireAt: string | null;
  isPermanentSession: boolean;
}

export function windowRuleOf(engine: Engine, channel: ChannelRow): WindowRule | null {
  return capabilitiesOf(engine.channels.connectorOf(channel.source), { ...channel, credentials: {} }).window;
}

/** Null when none is open, and for channels that have no windows: those are always open. */
export function windowOf(rule: WindowRule | null, expiresAt: Date | null, now: number = Date.now()): Window {
  const open = rule !== null && expiresAt !== null && expiresAt.getTime() > now;
  return { serviceWindowExpireAt: open ? iso(expiresAt) : null, isPermanentSession: rule === null };
}
