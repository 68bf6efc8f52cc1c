/** Bring your own channel: anybody's source, with signed calls both ways (Airy's Sources API, and the same for all surfaces). */
import { randomBytes } from 'node:crypto';
import Type, { type Static } from 'typebox';
import type { Content } from '../../model/content.ts';
import { mediaOf } from '../../model/content.ts';
import { invalid, ProviderError } from '../../model/errors.ts';
import {
  type ChannelView,
  type ConnectorContext,
  defineConnector,
  defineProvider,
  type Hook,
  type HookRequest,
  type OutboundMessage,
  type ProviderConfig,
  type SendReceipt,
} from '../connector.ts';
import { contentOf, parse, piecesOf } from './inbound.ts';
import { signedHeaders, verify } from './signatures.ts';

export { piecesOf } from './inbound.ts';

const actionEndpoint = Type.Optional(
  Type.String({
    pattern: '^https?://',
    title: 'Action endpoint',
    description: 'Where your source takes the messages to send; empty for a source that only receives',
    examples: ['https://source.example.com/action'],
    editable: true,
  }),
);
const Input = Type.Object({
  source_id: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9._-]{1,64}$',
      title: 'Source',
      description: 'The kind of channel, where you have several',
      examples: ['guestbook'],
    }),
  ),
  source_channel_id: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, title: 'Channel', description: 'Your own id of this channel; empty: one is made for you' }),
  ),
  action_endpoint: actionEndpoint,
  secret: Type.Optional(
    Type.String({ minLength: 16, title: 'Secret', description: 'Signs the calls both ways; empty: one is made for you', secret: true }),
  ),
});
const Settings = Type.Object({
  source_id: Type.Optional(Type.String({ title: 'Source' })),
  source_channel_id: Type.String({ title: 'Channel' }),
  action_endpoint: actionEndpoint,
});
const Credentials = Type.Object({
  secret: Type.String({ title: 'Secret', secret: true }),
  /** Made here, so that it has to be told; one that was given is known already. */
  made: Type.Optional(Type.Boolean()),
});
type Channel = ChannelView<Static<typeof Settings>, Static<typeof Credentials>>;

/** The id that a channel of somebody's source has among all custom channels. */
export function customChannelId(sourceId: string | undefined, sourceChannelId: string): string {
  return sourceId ? `${sourceId}:${sourceChannelId}` : sourceChannelId;
}

/** Where the source posts what its contacts write. */
export function hookUrl(config: ProviderConfig, sourceChannelId: string): string {
  return `${config.publicUrl.replace(/\/+$/, '')}/hooks/custom/${encodeURIComponent(sourceChannelId)}`;
}

/** Calls the source's action endpoint: Airy's `message.send`, with both kinds of signature. */
async function send(message: OutboundMessage, channel: Channel, context: ConnectorContext): Promise<SendReceipt> {
  const endpoint = channel.settings.action_endpoint;
  if (!endpoint) throw new ProviderError('rejected', 'the source has no action endpoint', { hint: 'Set the channel’s action endpoint.' });
  const recipient = message.to.find((identity) => identity.kind === 'custom') ?? message.to[0];
  if (!recipient) throw new ProviderError('recipient-unreachable', 'the contact has no address on this source', { scope: 'recipient' });
  const content = contentFor(message.content, context);
  const now = context.now();
  const body = JSON.stringify({
    type: 'message.send',
    payload: {
      message: {
        id: message.id,
        source_recipient_id: recipient.value,
        content,
        sent_at: now.toISOString(),
        reply_to: message.replyToProviderId,
      },
      conversation: {
        id: message.conversation?.id ?? null,
        channel_id: channel.id,
        source_channel_id: channel.settings.source_channel_id,
        source_conversation_id: recipient.value,
        created_at: message.conversation?.createdAt.toISOString() ?? null,
      },
    },
  });
  const headers = { 'content-type': 'application/json', ...signedHeaders(channel.credentials.secret, message.id, now, body) };
  const response = await context.http(endpoint, { method: 'POST', headers, body });
  const answer = (response.json() ?? {}) as { source_message_id?: unknown; error?: unknown };
  if (response.status >= 200 && response.status < 300) {
    const id = answer.source_message_id;
    return { providerId: typeof id === 'string' && id ? id : message.id, payload: content };
  }
  throw refusal(response.status, typeof answer.error === 'string' ? answer.error : undefined);
}

/** An answer in the agreed shape is the source's decision; anything else is a source that does not work now. */
function refusal(status: number, words: string | undefined): ProviderError {
  const options = { status, code: String(status), raw: words };
  if (status === 429) return new ProviderError('rate-limited', words ?? 'the source asks to go slower', { ...options, scope: 'channel' });
  if (words) return new ProviderError('rejected', words, options);
  if (status >= 500) return new ProviderError('retry', `the source answered with status ${status}`, options);
  if (status === 401 || status === 403) {
    return new ProviderError('unauthorized', `the source refused our signature (status ${status})`, { ...options, scope: 'channel' });
  }
  return new ProviderError('rejected', `the source answered with status ${status}`, options);
}

/** What the source gets to see: a native payload as it is, else our content with addresses that it can fetch. */
function contentFor(content: Content, context: ConnectorContext): unknown {
  if (content.type === 'native') return content.payload;
  if (mediaOf(content).every((media) => !media.id)) return content;
  const copy = structuredClone(content);
  for (const media of mediaOf(copy)) {
    if (media.id) media.url = context.mediaUrl(media.id);
    delete media.id;
    delete media.providerRef;
  }
  return copy;
}

const FILE = { maxBytes: 100 * 1024 * 1024, types: ['*'], caption: 4096 };

export const customSource = defineConnector({
  source: 'custom',
  title: 'Your own channel',
  description: 'Any system that can post and take signed HTTP calls',
  category: 'custom',
  guide: 'channels/custom.md',
  look: { color: '#6B7280', icon: 'M7 2v6H4v4a6 6 0 0 0 5 5.9V22h6v-4.1a6 6 0 0 0 5-5.9V8h-3V2h-2v6H9V2H7Z' },
  input: Input,
  settings: Settings,
  credentials: Credentials,
  identity: { kind: 'custom', scoped: true },
  capabilities: {
    text: { max: 100_000 },
    media: { image: FILE, video: FILE, audio: FILE, file: FILE, sticker: FILE },
    location: true,
    contacts: true,
    choices: { max: 50, title: 200, text: 4096, header: 200, footer: 200 },
    list: { rows: 100, sections: 20, title: 200, description: 500, button: 50, text: 4096 },
    cards: { max: 20, title: 200, text: 4096, actions: 10 },
    receipts: { delivered: true, read: true },
    replies: true,
    startsConversations: true,
    window: null,
    nodes: ['messaging', 'messaging.outgoing', 'messaging.incoming'],
  },
  async connect(input) {
    const own = input.source_channel_id?.trim();
    if (input.source_channel_id !== undefined && !own) throw invalid('source_channel_id', 'source_channel_id must not be empty');
    const channelId = own ?? `custom_${randomBytes(8).toString('hex')}`;
    return {
      sourceChannelId: customChannelId(input.source_id, channelId),
      name: input.source_id ?? channelId,
      settings: {
        ...(input.source_id ? { source_id: input.source_id } : {}),
        source_channel_id: channelId,
        ...(input.action_endpoint ? { action_endpoint: input.action_endpoint } : {}),
      },
      credentials: input.secret ? { secret: input.secret } : { secret: `whsec_${randomBytes(24).toString('base64')}`, made: true },
      ...(input.source_id ? { details: { ownNames: { source: input.source_id, sourceChannelId: channelId } } } : {}),
    };
  },
  setup: (channel, config) => [
    { label: 'Inbound address', value: hookUrl(config, channel.sourceChannelId), help: 'Your source posts what its contacts write here' },
    { label: 'Secret', value: channel.credentials.made ? channel.credentials.secret : '', help: 'Signs the calls both ways', secret: true },
  ],
  address: (value) => ({ kind: 'custom', value }),
  parse,
  send,
  // The source gets our id with every try and is asked to take each id once.
  idempotentSend: true,
  pacing: { perSecond: 200 },
  readNative: (payload) => contentOf(payload),
});

function channelIdOf(request: HookRequest): string | null {
  const last = /^\/hooks\/custom\/([^/]+)\/?$/.exec(request.path)?.[1];
  if (!last) return null;
  try {
    return decodeURIComponent(last);
  } catch {
    return null;
  }
}

function verdict(request: HookRequest, channel: ChannelView) {
  const secret = channel.credentials.secret;
  return typeof secret === 'string' && secret ? verify(secret, request.headers, request.body) : 'wrong';
}

const hook: Hook = {
  path: '/hooks/custom/*',
  source: 'custom',
  claims(request) {
    const id = channelIdOf(request);
    return id === null ? [] : [{ source: 'custom', sourceChannelId: id }];
  },
  verify(request, { channels }) {
    const verdicts = channels.map((channel) => verdict(request, channel));
    if (verdicts.includes('ok')) return 'ok';
    return verdicts.length > 0 && verdicts.every((one) => one === 'missing') ? 'missing' : 'wrong';
  },
  owns: (request, channel) => verdict(request, channel) === 'ok',
  unpack(request) {
    const id = channelIdOf(request);
    return piecesOf(JSON.parse(request.body.toString('utf8')), () => id);
  },
};

export const custom = defineProvider({ name: 'custom', connectors: [customSource], hooks: [hook] });
