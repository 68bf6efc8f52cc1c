/** Google Business Messages, as it was until 2024-07-31; a gateway or a stand-in may still serve it. */
import { createHash } from 'node:crypto';
import Type from 'typebox';
import type { Content } from '../../model/content.ts';
import { invalid, ProviderError } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';
import { type ConnectorContext, defineConnector, type OutboundMessage, type RawEvent, type SendReceipt } from '../connector.ts';
import type { InboundEvent, MessageEvent, Party } from '../events.ts';
import { serviceAccountOfChannel } from './auth.ts';
import { call, errorOf, isKnownAlready } from './client.ts';
import { addressOf, choicesOf, richCardOf, suggestionProblems } from './suggestions.ts';

const SCOPE = 'https://www.googleapis.com/auth/businessmessages';
export const ENDED = 'ended by Google on 2024-07-31, use RCS for Business';

interface BusinessEvent {
  agent?: string;
  conversationId?: string;
  requestId?: string;
  sendTime?: string;
  message?: { messageId?: string; name?: string; text?: string; createTime?: string };
  suggestionResponse?: { message?: string; postbackData?: string; text?: string; createTime?: string };
  surveyResponse?: {
    surveyQuestionId?: string;
    rating?: string;
    questionResponseText?: string;
    questionResponsePostbackData?: string;
    createTime?: string;
  };
  authenticationResponse?: unknown;
  userStatus?: { isTyping?: boolean; requestedLiveAgent?: boolean; createTime?: string };
  receipts?: { receipts?: { message?: string; receiptType?: string }[]; createTime?: string };
  context?: { userInfo?: { displayName?: string }; placeId?: string; entryPoint?: string; resolvedLocale?: string; customContext?: string };
}

/** The agent's own id: the last part of `brands/…/agents/…`. */
export function agentOf(name: string | undefined): string | null {
  return name?.split('/').pop() || null;
}

/** A stored event → what happened. Throws on what is none. */
export function parse(event: RawEvent): InboundEvent[] {
  const value = (event.value ?? JSON.parse(event.body.toString('utf8'))) as BusinessEvent;
  if (typeof value !== 'object' || value === null || typeof value.conversationId !== 'string') {
    throw new Error('Business Messages event without conversationId');
  }
  const contact: Party = { identities: [{ kind: 'google', value: value.conversationId }] };
  const name = value.context?.userInfo?.displayName;
  if (name) contact.name = name;
  const events: InboundEvent[] = [];
  const said = contentOf(value);
  if (said) events.push(messageOf(value, contact, said, event));
  if (typeof value.userStatus?.isTyping === 'boolean') events.push({ kind: 'typing', contact, on: value.userStatus.isTyping });
  const receipts = value.receipts?.receipts;
  for (const item of Array.isArray(receipts) ? receipts : []) {
    const id = typeof item?.message === 'string' ? agentOf(item.message) : null;
    const state = item.receiptType === 'READ' ? 'read' : item.receiptType === 'DELIVERED' ? 'delivered' : undefined;
    if (!id || !state) continue;
    const at = dateOf(value.receipts?.createTime ?? value.sendTime);
    events.push({ kind: 'receipt', providerId: id, state, ...(isUuid(id) ? { ourId: id } : {}), ...(at ? { at } : {}) });
  }
  return events.length > 0 ? events : [{ kind: 'ignored', reason: 'no message, status or receipt in it' }];
}

function contentOf(value: BusinessEvent): Content | undefined {
  if (value.message) return { type: 'text', text: String(value.message.text ?? '') };
  if (value.suggestionResponse) {
    const { text, postbackData } = value.suggestionResponse;
    return { type: 'reply', via: 'suggestion', title: text ?? postbackData ?? '', payload: postbackData ?? '' };
  }
  if (value.surveyResponse) {
    const { questionResponseText, questionResponsePostbackData, rating } = value.surveyResponse;
    const title = questionResponseText ?? rating ?? '';
    return { type: 'reply', via: 'suggestion', title, payload: questionResponsePostbackData ?? rating ?? '' };
  }
  if (value.userStatus?.requestedLiveAgent) return { type: 'system', text: 'asks for a person', event: 'requestedLiveAgent' };
  if (value.authenticationResponse) return { type: 'unsupported', kind: 'authenticationResponse' };
  return undefined;
}

function messageOf(value: BusinessEvent, contact: Party, content: Content, raw: RawEvent): MessageEvent {
  const id =
    value.message?.messageId ?? agentOf(value.message?.name) ?? value.requestId ?? createHash('sha256').update(raw.body).digest('hex');
  const event: MessageEvent = { kind: 'message', direction: 'in', providerId: id, contact, content, payload: value };
  const sentAt = dateOf(value.message?.createTime ?? value.suggestionResponse?.createTime ?? value.sendTime);
  if (sentAt) event.sentAt = sentAt;
  const answered = agentOf(value.suggestionResponse?.message);
  if (answered) event.replyTo = answered;
  const { placeId, entryPoint, resolvedLocale, customContext } = value.context ?? {};
  event.facts = Object.fromEntries(Object.entries({ placeId, entryPoint, resolvedLocale, customContext }).filter(([, fact]) => fact));
  return event;
}

function dateOf(value: string | undefined): Date | undefined {
  const date = new Date(value ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date;
}

const HUMAN = { representativeType: 'HUMAN' };

async function send(message: OutboundMessage, _channel: unknown, context: ConnectorContext): Promise<SendReceipt> {
  const payload = { representative: HUMAN, ...bodyOf(message.content, context), messageId: message.id };
  const response = await post(message.to, 'messages', payload, context);
  if (response.status >= 300 && !isKnownAlready(response)) throw errorOf(response);
  return { providerId: message.id, payload };
}

async function post(to: OutboundMessage['to'], what: string, json: unknown, context: ConnectorContext) {
  const conversation = to.find((identity) => identity.kind === 'google')?.value;
  if (!conversation) throw new ProviderError('recipient-unreachable', 'Business Messages conversations are started by the customer only');
  const base = (context.config.get('GOOGLE_BUSINESS_MESSAGES_URL') ?? 'https://businessmessages.googleapis.com').replace(/\/+$/, '');
  const account = await serviceAccountOfChannel(undefined, context);
  return await call(
    account,
    SCOPE,
    { method: 'POST', url: `${base}/v1/conversations/${encodeURIComponent(conversation)}/${what}`, json },
    context,
  );
}

function bodyOf(content: Content, context: ConnectorContext): Record<string, unknown> {
  switch (content.type) {
    case 'text':
      return { text: content.text };
    case 'image': {
      const fileUrl = addressOf(content.media, context);
      const altText = content.caption ?? content.media.filename ?? 'Image';
      return { image: { contentInfo: { fileUrl, altText, forceRefresh: false } }, fallback: `${altText}: ${fileUrl}` };
    }
    case 'choices':
      return content.media ? { ...choicesOf(content, context), fallback: content.text } : choicesOf(content, context);
    case 'cards':
      return {
        richCard: richCardOf(content, context),
        fallback: content.text ?? content.cards.map((card) => card.title ?? card.text).join(', '),
      };
    case 'native':
      if (typeof content.payload === 'object' && content.payload !== null) return content.payload as Record<string, unknown>;
      throw new ProviderError('rejected', 'Malformed message. A Business Messages message is a JSON object');
    default:
      throw new ProviderError('rejected', `Business Messages cannot carry ${content.type} messages`);
  }
}

export const google = defineConnector({
  source: 'google',
  title: 'Google Business Messages',
  description: 'Chats from Google Search and Maps; ended by Google, kept for gateways that still speak it',
  category: 'messaging',
  guide: 'channels/google-business-messages.md',
  notice: ENDED,
  look: {
    color: '#4285F4',
    icon: 'M21.8 10.2H12v3.9h5.6c-.5 2.5-2.6 4-5.6 4a6.1 6.1 0 1 1 3.9-10.8l2.9-2.9A10.2 10.2 0 1 0 12 22.2c5.9 0 10.2-4.1 10.2-10.2 0-.6-.1-1.2-.4-1.8Z',
  },
  input: Type.Object({
    gbm_id: Type.String({ minLength: 1, title: 'Agent', description: 'The agent name’s last part', examples: ['gbm-id'] }),
  }),
  settings: Type.Object({ gbm_id: Type.String({ title: 'Agent' }) }),
  credentials: Type.Object({}),
  identity: { kind: 'google', scoped: true },
  capabilities: {
    text: { max: 4096 },
    media: { image: { maxBytes: 5 * 1024 * 1024, types: ['image/jpeg', 'image/png'], caption: 200 } },
    choices: { max: 13, title: 25, text: 4096 },
    cards: { max: 10, title: 200, text: 2000, actions: 4 },
    receipts: { delivered: true, read: true },
    typing: { in: true, out: true },
    startsConversations: false,
    window: null,
    nodes: ['messaging', 'messaging.outgoing', 'messaging.incoming'],
  },
  async connect(input) {
    const gbmId = agentOf(input.gbm_id.trim());
    if (!gbmId) throw invalid('gbm_id', 'gbm_id must not be empty');
    return { sourceChannelId: gbmId, settings: { gbm_id: gbmId }, credentials: {}, status: 'warning', statusReason: ENDED };
  },
  async health() {
    return { status: 'warning', reason: ENDED };
  },
  setup: (_channel, config) => [{ label: 'Webhook URL', value: `${config.publicUrl}/hooks/google`, help: 'Partner settings of the agent' }],
  parse,
  send,
  idempotentSend: true,
  check: suggestionProblems,
  pacing: { perSecond: 50 },
  readNative(payload) {
    const fields = (typeof payload === 'object' && payload !== null ? payload : {}) as BusinessEvent & { text?: unknown };
    return typeof fields.text === 'string' ? { type: 'text', text: fields.text } : contentOf(fields);
  },
  async typing({ to, on }, _channel, context) {
    const event = { eventType: on ? 'TYPING_STARTED' : 'TYPING_STOPPED', representative: HUMAN };
    const response = await post(to, `events?eventId=${crypto.randomUUID()}`, event, context);
    if (response.status >= 300) throw errorOf(response);
  },
});
