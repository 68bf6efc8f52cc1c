/** RCS for Business (developers.google.com/business-communications/rcs-business-messaging). */
import { randomBytes, randomUUID } from 'node:crypto';
import Type, { type Static } from 'typebox';
import type { Content } from '../../model/content.ts';
import { invalid, ProviderError } from '../../model/errors.ts';
import { phoneProblem } from '../../model/phone.ts';
import {
  type ChannelView,
  type ConnectorContext,
  defineConnector,
  type OutboundMessage,
  type ProviderConfig,
  type SendReceipt,
} from '../connector.ts';
import { accessToken, serviceAccountOf, serviceAccountOfChannel } from './auth.ts';
import { call, errorOf, isKnownAlready } from './client.ts';
import { agentIdOf, contentOf, parse } from './rcs-inbound.ts';
import { addressOf, choicesOf, richCardOf, suggestionProblems } from './suggestions.ts';

const SCOPE = 'https://www.googleapis.com/auth/rcsbusinessmessaging';
const HINTS = { 404: 'The phone has no RCS, or the agent is not launched at its carrier: send by SMS instead.' };

const region = Type.Union([Type.Literal('global'), Type.Literal('us'), Type.Literal('europe'), Type.Literal('asia')], {
  title: 'Region',
  description: 'Where the agent is hosted',
  default: 'global',
});
const ttl = Type.Optional(
  Type.Integer({
    minimum: 10,
    maximum: 1_296_000,
    title: 'Lifetime in seconds',
    description: 'Undelivered messages are taken back after this time',
    editable: true,
  }),
);

const Input = Type.Object({
  agent_id: Type.String({ minLength: 1, title: 'Agent ID', examples: ['my_agent_abc123_agent'] }),
  region: Type.Optional(region),
  ttl_seconds: ttl,
  client_token: Type.Optional(Type.String({ title: 'Webhook client token', description: 'Empty: one is made for you', secret: true })),
  service_account: Type.Optional(
    Type.String({ title: 'Service account JSON', description: 'Empty: the installation’s GOOGLE_SERVICE_ACCOUNT', secret: true }),
  ),
});
const Settings = Type.Object({ agent_id: Type.String({ title: 'Agent ID' }), region: Type.Optional(region), ttl_seconds: ttl });
const Credentials = Type.Object({
  client_token: Type.String({ title: 'Webhook client token', secret: true }),
  /** The token was made here, so that it has to be told; one that was given is known already. */
  made: Type.Optional(Type.Boolean()),
  service_account: Type.Optional(Type.String({ secret: true })),
});
type Channel = ChannelView<Static<typeof Settings>, Static<typeof Credentials>>;

function baseOf(channel: Channel, config: ProviderConfig): string {
  const override = config.get('GOOGLE_RCS_URL');
  if (override) return override.replace(/\/+$/, '');
  const where = channel.settings.region ?? 'global';
  return where === 'global' ? 'https://rcsbusinessmessaging.googleapis.com' : `https://${where}-rcsbusinessmessaging.googleapis.com`;
}

async function request(
  channel: Channel,
  context: ConnectorContext,
  method: 'GET' | 'POST' | 'DELETE',
  to: { kind: string; value: string }[],
  path: string,
  query: Record<string, string>,
  json?: unknown,
) {
  const phone = to.find((identity) => identity.kind === 'phonenumber')?.value;
  if (!phone) throw new ProviderError('recipient-unreachable', 'the contact has no phone number', { scope: 'recipient' });
  const search = new URLSearchParams({ ...query, agentId: channel.settings.agent_id });
  const url = `${baseOf(channel, context.config)}/v1/phones/${encodeURIComponent(phone)}/${path}?${search}`;
  const account = await serviceAccountOfChannel(channel.credentials.service_account, context);
  return await call(account, SCOPE, { method, url, json }, context);
}

async function send(message: OutboundMessage, channel: Channel, context: ConnectorContext): Promise<SendReceipt> {
  const payload = messageOf(message, channel, context);
  const response = await request(channel, context, 'POST', message.to, 'agentMessages', { messageId: message.id }, payload);
  if (response.status >= 300 && !isKnownAlready(response)) throw errorOf(response, HINTS);
  return { providerId: message.id, payload };
}

function messageOf({ content, validUntil }: OutboundMessage, channel: Channel, context: ConnectorContext): Record<string, unknown> {
  const lifetime = lifetimeOf(validUntil, channel, context.now());
  if (content.type !== 'native') return { ...lifetime, contentMessage: contentMessageOf(content, context) };
  if (typeof content.payload !== 'object' || content.payload === null)
    throw new ProviderError('rejected', 'an RCS message is a JSON object');
  return 'contentMessage' in content.payload ? { ...lifetime, ...content.payload } : { ...lifetime, contentMessage: content.payload };
}

/** The message's own lifetime before the channel's; Google wants at least ten seconds, and at most fifteen days. */
function lifetimeOf(validUntil: Date | undefined, channel: Channel, now: Date): { ttl?: string } {
  const own = validUntil && Math.ceil((validUntil.getTime() - now.getTime()) / 1000);
  const seconds = own === undefined ? channel.settings.ttl_seconds : Math.min(Math.max(own, 10), 1_296_000);
  return seconds ? { ttl: `${seconds}s` } : {};
}

function contentMessageOf(content: Content, context: ConnectorContext): Record<string, unknown> {
  switch (content.type) {
    case 'text':
      return { text: content.text };
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
      return { contentInfo: { fileUrl: addressOf(content.media, context), forceRefresh: false } };
    case 'location': {
      const text = content.name ?? content.address ?? `${content.latitude}, ${content.longitude}`;
      const latLong = { latitude: content.latitude, longitude: content.longitude };
      const action = {
        text: 'Map',
        postbackData: 'map',
        viewLocationAction: { latLong, ...(content.name ? { label: content.name } : {}) },
      };
      return { text, suggestions: [{ action }] };
    }
    case 'choices':
      return choicesOf(content, context);
    case 'cards':
      return { richCard: richCardOf(content, context) };
    default:
      throw new ProviderError('rejected', `RCS cannot carry ${content.type} messages`);
  }
}

async function agentEvent(
  channel: Channel,
  context: ConnectorContext,
  to: OutboundMessage['to'],
  event: Record<string, unknown>,
): Promise<void> {
  const response = await request(channel, context, 'POST', to, 'agentEvents', { eventId: randomUUID() }, event);
  if (response.status >= 300 && !isKnownAlready(response)) throw errorOf(response, HINTS);
}

const FILE = { maxBytes: 100 * 1024 * 1024, types: ['*'] };

export const rcs = defineConnector({
  source: 'rcs',
  title: 'RCS for Business',
  description: 'Rich messages in the phone’s own messaging app, with SMS as the way out where a phone has no RCS',
  category: 'messaging',
  guide: 'channels/rcs.md',
  look: { color: '#1A73E8', icon: 'M4 3h16a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H8l-5 4V5a2 2 0 0 1 1-2Zm3 5v2h10V8H7Zm0 4v2h7v-2H7Z' },
  input: Input,
  settings: Settings,
  credentials: Credentials,
  identity: { kind: 'phonenumber', scoped: false },
  capabilities: {
    text: { max: 3072 },
    media: { image: FILE, video: FILE, audio: FILE, file: FILE },
    location: true,
    choices: { max: 11, title: 25, text: 3072 },
    cards: { max: 10, title: 200, text: 2000, actions: 4 },
    receipts: { delivered: true, read: true },
    typing: { in: true, out: true },
    revokes: true,
    startsConversations: true,
    window: null,
    nodes: ['messaging', 'messaging.outgoing', 'messaging.incoming'],
  },
  async connect(input, context) {
    const agentId = agentIdOf(input.agent_id.trim());
    if (!agentId) throw invalid('agent_id', 'agent_id must not be empty');
    await accessToken(await serviceAccountOf(input.service_account, context), SCOPE, context, { fresh: true });
    return {
      sourceChannelId: agentId,
      name: agentId,
      settings: { agent_id: agentId, region: input.region ?? 'global', ...(input.ttl_seconds ? { ttl_seconds: input.ttl_seconds } : {}) },
      credentials: {
        ...(input.client_token ? { client_token: input.client_token } : { client_token: randomBytes(24).toString('hex'), made: true }),
        ...(input.service_account ? { service_account: input.service_account } : {}),
      },
    };
  },
  async health(channel, context) {
    try {
      await accessToken(await serviceAccountOfChannel(channel.credentials.service_account, context), SCOPE, context, { fresh: true });
      return { status: 'active', checks: [{ name: 'service account', ok: true }] };
    } catch (error) {
      if (!(error instanceof ProviderError) || error.class !== 'unauthorized') throw error;
      return {
        status: 'failed',
        reason: `Google refuses the service account: ${error.message}`,
        checks: [{ name: 'service account', ok: false }],
      };
    }
  },
  setup: (channel, config) => [
    {
      label: 'Webhook URL',
      value: `${config.publicUrl}/hooks/google`,
      help: 'RCS for Business console: your agent, Integrations, Webhook',
    },
    {
      label: 'Client token',
      value: channel.credentials.made ? channel.credentials.client_token : '',
      help: 'The same form; it signs every call',
      secret: true,
    },
  ],
  address(value) {
    const problem = phoneProblem(value);
    if (problem) throw invalid('to', `the phone number ${problem}`);
    return { kind: 'phonenumber', value };
  },
  parse,
  send,
  idempotentSend: true,
  pacing: { perSecond: 100 },
  check: (content) => [
    ...('caption' in content && content.caption ? ['RCS files carry no caption: send a card, or the text as a message of its own'] : []),
    ...('more' in content && content.more?.length ? ['one file a message: send the others as messages of their own'] : []),
    ...suggestionProblems(content),
  ],
  readNative(payload) {
    const fields = (typeof payload === 'object' && payload !== null ? payload : {}) as Record<string, unknown>;
    const inner = (fields.contentMessage ?? fields) as Parameters<typeof contentOf>[0];
    return contentOf(inner);
  },
  async markRead({ providerId, to }, channel, context) {
    await agentEvent(channel, context, to, { eventType: 'READ', messageId: providerId });
  },
  async typing({ to, on }, channel, context) {
    if (on) await agentEvent(channel, context, to, { eventType: 'IS_TYPING' });
  },
  async revoke({ messageId, to }, channel, context) {
    const response = await request(channel, context, 'DELETE', to, `agentMessages/${messageId}`, {});
    if (response.status === 404)
      throw new ProviderError('rejected', 'it was delivered already, or never arrived at Google', { status: 404 });
    if (response.status >= 300) throw errorOf(response);
  },
  async reach(identity, channel, context) {
    const response = await request(channel, context, 'GET', [identity], 'capabilities', { requestId: randomUUID() });
    if (response.status === 404) return { reachable: false };
    if (response.status >= 300) throw errorOf(response);
    const answer = response.json() as { features?: string[] } | undefined;
    return { reachable: true, features: answer?.features ?? [] };
  },
});
