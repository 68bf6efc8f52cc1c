/** Outgoing webhooks of the Aurion surface: `/api/v1/webhooks`, next to the document's `/api/v2`. */
import { createHmac, randomBytes } from 'node:crypto';
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import type { WebhookSpeaker } from '../../engine/webhooks.ts';
import { textOf } from '../../model/content.ts';
import type { Conversation } from '../../model/conversation.ts';
import { notFound, PatchbayError } from '../../model/errors.ts';
import type { LogEvent } from '../../model/event.ts';
import { getConversations } from '../../store/conversations.ts';
import { getMessages } from '../../store/messages.ts';
import { deleteSubscription, getSubscription, listSubscriptions, type SubscriptionRow } from '../../store/webhooks.ts';
import { maySee } from '../access.ts';
import type { Principal } from '../auth.ts';
import { timeOf } from '../times.ts';
import type { TypedApp } from '../typed.ts';
import { idOf, uuidFrom } from './ids.ts';
import { Id } from './shapes.ts';

/** All of the product's; those that are about what Patchbay does not have are taken and never come. */
const EVENTS = [
  ...['created', 'updated', 'closed', 'reopened', 'note_added'].map((verb) => `ticket.${verb}`),
  ...['created', 'updated', 'resolved', 'assigned', 'reply'].map((verb) => `conversation.${verb}`),
  ...['started', 'completed', 'escalated'].map((verb) => `call.${verb}`),
  'user.created',
];

const Create = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 2000 }),
  events: Type.Array(Type.String({ maxLength: 100 }), { minItems: 1, maxItems: 50 }),
  secret: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
});

export function registerWebhooks(app: TypedApp, engine: Engine): void {
  const { database, webhooks, config } = engine;
  webhooks.speak('aurion', speaker(engine));

  app.post('/webhooks', { schema: { tags: ['Aurion'], summary: 'Subscribe to events', body: Create } }, async (request, reply) => {
    const { url, events } = request.body;
    const secret = request.body.secret ?? newSecret();
    const unknown = events.find((event) => !EVENTS.includes(event));
    if (unknown) throw new PatchbayError('precondition', `Invalid event type: ${unknown}`);
    if (!config.allowPrivateNetwork && !url.startsWith('https://')) throw new PatchbayError('precondition', 'url must be https');
    const { workspaceId, sandbox } = request.principal;
    const row = await webhooks
      .subscribe({
        workspaceId,
        surface: 'aurion',
        name: null,
        url,
        service: null,
        events: [...new Set(events)],
        filters: [],
        secrets: { signingKey: secret, headers: {} },
        sandbox,
      })
      .catch((error) => {
        throw error instanceof PatchbayError ? new PatchbayError('precondition', error.message) : error;
      });
    // One that was made here is shown once, and never again.
    return reply.code(201).send({ ...shown(row!), ...(request.body.secret === undefined ? { secret } : {}) });
  });

  app.get('/webhooks', { schema: { tags: ['Aurion'], summary: 'List subscriptions' } }, async ({ principal }) => {
    const rows = await listSubscriptions(database, principal.workspaceId, 'aurion');
    return { webhooks: rows.filter((row) => maySee(principal, row)).map(shown) };
  });

  app.get('/webhooks/:id', { schema: { tags: ['Aurion'], summary: 'Show a subscription', params: Id } }, async (request) =>
    shown(await find(request.principal, request.params.id)),
  );

  app.delete('/webhooks/:id', { schema: { tags: ['Aurion'], summary: 'End a subscription', params: Id } }, async (request, reply) => {
    const { workspaceId, id } = await find(request.principal, request.params.id);
    await deleteSubscription(database, workspaceId, 'aurion', id);
    return reply.code(204).send();
  });

  async function find(principal: Principal, id: string): Promise<SubscriptionRow> {
    const row = await getSubscription(database, principal.workspaceId, 'aurion', uuidFrom('wh', id, 'webhook'));
    if (!row || !maySee(principal, row)) throw notFound('webhook');
    return row;
  }
}

function newSecret(): string {
  return randomBytes(32).toString('hex');
}

function shown({ id, url, events, status, createdAt }: SubscriptionRow) {
  const active = status === 'active';
  return { id: idOf('wh', id), url, events, active, is_active: active, created_at: timeOf(createdAt) };
}

function speaker(engine: Engine): WebhookSpeaker {
  return {
    async speak({ workspaceId, events: wanted }, events) {
      const about = events.filter((event) => event.conversationId && /^(conversation\.|message\.created)/.test(event.type));
      const [conversations, messages] = await Promise.all([
        getConversations(engine.database, workspaceId, [...new Set(about.map((event) => event.conversationId!))]),
        getMessages(engine.database, workspaceId, [...new Set(about.flatMap((event) => event.messageId ?? []))]),
      ]);
      const conversationById = new Map(conversations.map((row) => [row.id, row]));
      const messageById = new Map(messages.map((row) => [row.id, row]));
      return about.flatMap((event) => {
        const conversation = conversationById.get(event.conversationId!);
        const type = typeOf(event);
        if (!conversation || !wanted.includes(type)) return [];
        const message = messageById.get(event.messageId ?? '');
        const data = {
          ...conversationOf(conversation),
          ...(message
            ? {
                message: {
                  id: idOf('msg', message.id),
                  direction: message.direction === 'in' ? 'inbound' : 'outbound',
                  body: textOf(message.content),
                  created_at: timeOf(message.sentAt),
                },
              }
            : {}),
        };
        const id = `evt_${workspaceId.replaceAll('-', '').slice(-12)}${String(event.seq).padStart(12, '0')}`;
        const body = JSON.stringify({ id, type, timestamp: timeOf(event.createdAt), data });
        return [{ seq: event.seq, event: type, lane: conversation.id, body }];
      });
    },
    headers: ({ signingKey, body }) => ({
      'user-agent': 'Patchbay',
      ...(signingKey ? { 'x-aurion-signature': `sha256=${createHmac('sha256', signingKey).update(body).digest('hex')}` } : {}),
    }),
  };
}

function typeOf(event: LogEvent): string {
  if (event.type === 'message.created') return 'conversation.reply';
  if (event.type !== 'conversation.updated') return event.type;
  if (RESOLVED.has(String(event.data.state).toLowerCase())) return 'conversation.resolved';
  if (event.data.assigned) return 'conversation.assigned';
  return event.type;
}

const RESOLVED = new Set(['closed', 'resolved']);

function conversationOf({ id, contactId, state, tags, createdAt }: Conversation) {
  return {
    conversation_id: idOf('conv', id),
    contact_id: idOf('ct', contactId),
    status: state?.toLowerCase() ?? 'open',
    tags,
    created_at: timeOf(createdAt),
  };
}
