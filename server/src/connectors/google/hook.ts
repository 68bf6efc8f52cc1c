import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ChannelView, Hook, HookRequest, ProviderConfig, RawEvent } from '../connector.ts';
import { agentOf } from './business-messages.ts';
import { agentIdOf } from './rcs-inbound.ts';

type Read =
  | { kind: 'verification'; secret: string }
  | { kind: 'rcs'; data: Buffer; value: Record<string, unknown> }
  | { kind: 'business-messages'; value: Record<string, unknown> }
  | { kind: 'unreadable'; data?: Buffer };

const reads = new WeakMap<HookRequest, Read>();

/** One address for three kinds of calls: which one it is shows in the body. */
function read(request: HookRequest): Read {
  let result = reads.get(request);
  if (!result) {
    result = readBody(request.body);
    reads.set(request, result);
  }
  return result;
}

function readBody(body: Buffer): Read {
  const value = objectOf(body);
  if (!value) return { kind: 'unreadable' };
  const envelope = value.message as { data?: unknown } | null | undefined;
  if (typeof envelope === 'object' && typeof envelope?.data === 'string') {
    const data = Buffer.from(envelope.data, 'base64');
    const inner = objectOf(data);
    return inner ? { kind: 'rcs', data, value: inner } : { kind: 'unreadable', data };
  }
  if (typeof value.secret === 'string' && typeof value.clientToken === 'string') return { kind: 'verification', secret: value.secret };
  return { kind: 'business-messages', value };
}

function objectOf(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** X-Goog-Signature: base64 HMAC-SHA512 over the bytes; RCS signs what is inside the Pub/Sub envelope. */
function isSigned(request: HookRequest, key: string | undefined): boolean {
  const given = request.headers['x-goog-signature'];
  if (!key || !given) return false;
  const content = read(request);
  const bytes = content.kind === 'rcs' || content.kind === 'unreadable' ? (content.data ?? request.body) : request.body;
  const expected = createHmac('sha512', key).update(bytes).digest();
  const signature = Buffer.from(given, 'base64');
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

function keyOf(channel: ChannelView, config: ProviderConfig): string | undefined {
  const own = channel.credentials.client_token;
  return typeof own === 'string' && own ? own : config.get('GOOGLE_PARTNER_KEY');
}

function subjectOf(request: HookRequest): { source: string; sourceChannelId: string | null } {
  const content = read(request);
  if (content.kind === 'rcs') {
    const agent = content.value.agentId;
    return { source: 'rcs', sourceChannelId: typeof agent === 'string' && agent ? agentIdOf(agent) : null };
  }
  const agent = content.kind === 'business-messages' ? content.value.agent : undefined;
  return {
    source: content.kind === 'unreadable' && content.data ? 'rcs' : 'google',
    sourceChannelId: typeof agent === 'string' ? agentOf(agent) : null,
  };
}

export const hook: Hook = {
  path: '/hooks/google',
  aliases: ['/google', '/hooks/rcs'],
  source: 'google',
  /**
   * Google asks for the secret back to see that the address is ours. Whoever makes it ask gains nothing: events are
   * taken only with a signature that one of our channels knows.
   */
  handshake(request) {
    if (request.method !== 'POST') return undefined;
    const content = read(request);
    return content.kind === 'verification' ? { status: 200, contentType: 'text/plain', body: content.secret } : undefined;
  },
  claims(request) {
    const { source, sourceChannelId } = subjectOf(request);
    return sourceChannelId === null ? [] : [{ source, sourceChannelId }];
  },
  verify(request, { config, channels }) {
    if (!request.headers['x-goog-signature']) return 'missing';
    const keys = new Set(channels.length > 0 ? channels.map((channel) => keyOf(channel, config)) : [config.get('GOOGLE_PARTNER_KEY')]);
    for (const key of keys) if (isSigned(request, key)) return 'ok';
    return 'wrong';
  },
  owns: (request, channel, config) => isSigned(request, keyOf(channel, config)),
  unpack(request): RawEvent[] {
    const content = read(request);
    if (content.kind === 'unreadable') throw new Error('Google webhook is not JSON');
    const body = content.kind === 'rcs' ? content.data : request.body;
    const value = content.kind === 'verification' ? undefined : content.value;
    return [{ ...subjectOf(request), contentType: 'application/json', body, value }];
  },
};
