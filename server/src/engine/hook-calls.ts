/** A provider calls in: verified over the raw bytes, durable, then answered. Over HTTP, or from a stand-in in this process. */
import type { Hook, HookReply, HookRequest, RawEvent } from '../connectors/connector.ts';
import { isConnected } from '../model/channel.ts';
import { type ChannelRow, channelsByAddress } from '../store/channels.ts';
import type { Engine } from './engine.ts';

type Parts = Pick<Engine, 'database' | 'channels' | 'contexts' | 'ingest' | 'log'>;

/**
 * Takes one call. `sandboxOf`: it comes from the stand-in of this workspace, and is for channels of its test keys alone.
 * Resolves once everything is durable; throws when nothing could be stored.
 */
export async function takeCall(parts: Parts, hook: Hook, call: HookRequest, options: { sandboxOf?: string } = {}): Promise<HookReply> {
  const { sandboxOf } = options;
  const { http, config } = parts.contexts.outside(sandboxOf !== undefined);
  const handshake = hook.handshake?.(call, config);
  if (handshake) return handshake;
  if (call.method === 'GET' && call.body.length === 0 && !hook.claims) return { status: 403 };
  const rows = await claimedChannels(parts, hook, call, sandboxOf);
  const verdict = await hook.verify(call, { config, channels: rows.map((row) => parts.channels.view(row)), http });
  if (verdict !== 'ok') {
    parts.log.warn({ hook: hook.path, verdict }, 'a webhook was refused: its signature is not right');
    return { status: verdict === 'missing' ? 401 : 403 };
  }
  await parts.ingest.submit(unpacked(hook, call).flatMap((event) => addressed(parts, hook, call, event, rows, sandboxOf)));
  return hook.reply ?? { status: 200 };
}

/** What nobody can read is kept whole, to be listed and replayed after a fix. */
function unpacked(hook: Hook, call: HookRequest): RawEvent[] {
  try {
    return hook.unpack(call);
  } catch {
    return [{ source: hook.source, sourceChannelId: null, contentType: call.headers['content-type'] ?? '', body: call.body }];
  }
}

async function claimedChannels(parts: Parts, hook: Hook, call: HookRequest, sandboxOf: string | undefined): Promise<ChannelRow[]> {
  const claims = hook.claims?.(call) ?? [];
  const rows = await Promise.all(claims.map((claim) => channelsByAddress(parts.database, claim.source, claim.sourceChannelId)));
  return rows
    .flat()
    .filter((row) => row.credentials && isConnected(row.status))
    .filter((row) => sandboxOf === undefined || (row.sandbox && row.workspaceId === sandboxOf));
}

/**
 * Who may hear of it. Where each channel has a secret of its own, only those whose secret signed the call: the same
 * account can be connected in two workspaces. Else every channel of the account, real or of test keys, never both.
 */
function addressed(
  parts: Parts,
  hook: Hook,
  call: HookRequest,
  event: RawEvent,
  rows: ChannelRow[],
  sandboxOf: string | undefined,
): RawEvent[] {
  const within = { ...event, sandboxOf: sandboxOf ?? null };
  const { owns } = hook;
  const candidates = rows.filter((row) => row.source === event.source && row.sourceChannelId === event.sourceChannelId);
  if (!owns || candidates.length === 0) return [within];
  const owners = candidates.filter((row) => owns(call, parts.channels.view(row), parts.contexts.outside(row.sandbox).config));
  return owners.map((row) => ({ ...event, channel: { workspaceId: row.workspaceId, id: row.id } }));
}

/** The hook behind a path, and undefined when there is none. */
export function hookAt(hooks: readonly Hook[], path: string): Hook | undefined {
  return hooks.find((hook) => [hook.path, ...(hook.aliases ?? [])].some((known) => matches(known, path)));
}

function matches(known: string, path: string): boolean {
  return known.endsWith('/*') ? path.startsWith(known.slice(0, -1)) : path === known;
}
