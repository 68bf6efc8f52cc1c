/** Conversations across all channels, as the product's older guides show them; saved replies are rendered when they are sent. */
import Type from 'typebox';
import { updateConversation } from '../../engine/conversations.ts';
import type { Engine } from '../../engine/engine.ts';
import { replyVariables } from '../../engine/reply-variables.ts';
import { mediaOf, textOf } from '../../model/content.ts';
import type { Conversation } from '../../model/conversation.ts';
import { invalid, notFound } from '../../model/errors.ts';
import type { Message } from '../../model/message.ts';
import { renderVariables } from '../../model/variables.ts';
import { getContacts, identitiesOf } from '../../store/contacts.ts';
import { type Condition, getConversation, listConversations } from '../../store/conversations.ts';
import { countInConversation, listInConversation } from '../../store/messages.ts';
import { getSavedReply } from '../../store/saved-replies.ts';
import { tagNames } from '../../store/tag-names.ts';
import { maySee } from '../access.ts';
import type { Principal } from '../auth.ts';
import { timeOf } from '../times.ts';
import type { TypedApp } from '../typed.ts';
import { idOf, uuidFrom, uuidIn } from './ids.ts';
import { Id, Page, pageOf } from './shapes.ts';

const STATUSES = ['open', 'pending', 'resolved', 'closed'] as const;
const PRIORITIES = ['low', 'medium', 'high', 'urgent'] as const;
const CHANNELS = ['email', 'chat', 'whatsapp', 'voice', 'widget'] as const;
const Status = Type.Enum([...STATUSES]);
const Priority = Type.Enum([...PRIORITIES]);

/** The sources behind each of the product's words for a channel. */
const SOURCES: Record<(typeof CHANNELS)[number], string[]> = {
  email: ['email'],
  chat: ['chatplugin'],
  widget: ['chatplugin'],
  whatsapp: ['whatsapp', 'twilio.whatsapp'],
  voice: ['twilio.voice'],
};

const NOBODY = '00000000-0000-0000-0000-000000000000';

const Text = Type.String({ minLength: 1, maxLength: 300 });
const Assignee = Type.Union([Type.String({ maxLength: 200 }), Type.Null()]);

export function registerConversations(app: TypedApp, engine: Engine): void {
  const { database } = engine;

  app.get(
    '/conversations',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'List conversations',
        querystring: Type.Object({
          ...Page,
          status: Type.Optional(Status),
          priority: Type.Optional(Priority),
          channel: Type.Optional(Type.Enum([...CHANNELS])),
          assigned_team_id: Type.Optional(Text),
          assigned_agent_id: Type.Optional(Text),
          contact_id: Type.Optional(Text),
          tags: Type.Optional(Text),
          search: Type.Optional(Type.String({ maxLength: 300 })),
        }),
      },
    },
    async (request) => {
      const { query, principal } = request;
      const { limit, offset } = query;
      const where = conditionOf(query, principal);
      const page = { limit, offset, withTotal: true, ...(where ? { where } : {}) };
      const { conversations, total } = await listConversations(database, principal.workspaceId, page);
      return pageOf(await shown(principal.workspaceId, conversations), total ?? 0, query);
    },
  );

  app.get('/conversations/:id', { schema: { tags: ['Aurion'], summary: 'Show a conversation', params: Id } }, async (request) => {
    const conversation = await find(request.principal, request.params.id);
    return (await shown(conversation.workspaceId, [conversation]))[0];
  });

  app.patch(
    '/conversations/:id',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Change a conversation',
        params: Id,
        body: Type.Object({
          status: Type.Optional(Status),
          priority: Type.Optional(Priority),
          subject: Type.Optional(Type.String({ maxLength: 1000 })),
          assigned_team_id: Type.Optional(Assignee),
          assigned_agent_id: Type.Optional(Assignee),
        }),
      },
    },
    async (request) => {
      const { status, subject, priority, assigned_team_id, assigned_agent_id } = request.body;
      const { workspaceId, id } = await find(request.principal, request.params.id);
      const facts = given({ priority, assigned_team_id, assigned_agent_id });
      const state = status?.toUpperCase();
      const changed = await updateConversation(
        engine,
        workspaceId,
        id,
        ({ metadata }) => ({ ...given({ state, subject }), metadata: { ...metadata, ...facts } }),
        { ...given({ state }), ...('assigned_team_id' in facts || 'assigned_agent_id' in facts ? { assigned: true } : {}) },
      );
      return (await shown(workspaceId, [changed]))[0];
    },
  );

  app.get(
    '/conversations/:id/messages',
    { schema: { tags: ['Aurion'], summary: "List a conversation's messages", params: Id, querystring: Type.Object(Page) } },
    async (request) => {
      const { workspaceId, id } = await find(request.principal, request.params.id);
      const total = await countInConversation(database, workspaceId, id);
      const messages = await listInConversation(database, workspaceId, id, request.query);
      return pageOf(messages.map(shownMessage), total, request.query);
    },
  );

  app.post(
    '/conversations/:id/messages',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Write in a conversation',
        params: Id,
        body: Type.Object({
          content: Type.Optional(Type.String({ minLength: 1, maxLength: 100_000 })),
          saved_reply_id: Type.Optional(Type.String()),
          variables: Type.Optional(Type.Record(Type.String(), Type.String())),
        }),
      },
    },
    async (request, reply) => {
      const { body, principal } = request;
      const conversation = await find(principal, request.params.id);
      const { text, unresolved } = await textFor(conversation, body, principal.name);
      const message = await engine.sender.send({
        workspaceId: principal.workspaceId,
        to: { conversationId: conversation.id },
        content: { type: 'text', text },
        sender: { id: principal.keyId, name: principal.name },
        messageId: request.intendedId,
      });
      return reply.code(201).send({ ...shownMessage(message), ...(unresolved ? { unresolved } : {}) });
    },
  );

  /** What is sent: the words as they are, or a saved reply with everything filled in that is known here. */
  async function textFor(
    conversation: Conversation,
    body: { content?: string; saved_reply_id?: string; variables?: Record<string, string> },
    agent: string,
  ): Promise<{ text: string; unresolved?: string[] }> {
    if (body.saved_reply_id === undefined) {
      if (body.content === undefined) throw invalid('content', 'is required');
      return { text: body.content };
    }
    const { workspaceId } = conversation;
    const stored = await getSavedReply(database, workspaceId, uuidFrom('sr', body.saved_reply_id, 'saved reply'));
    if (!stored) throw notFound('saved reply');
    const known = await replyVariables(database, conversation, { agent, conversationId: idOf('conv', conversation.id) });
    return renderVariables(stored.body, { ...known, ...body.variables });
  }

  async function find(principal: Principal, id: string): Promise<Conversation> {
    const row = await getConversation(database, principal.workspaceId, uuidFrom('conv', id, 'conversation'));
    if (!row || (principal.sandbox && !maySee(principal, await engine.channels.get(row.workspaceId, row.channelId)))) {
      throw notFound('conversation');
    }
    return row;
  }

  async function shown(workspaceId: string, conversations: Conversation[]) {
    const ids = conversations.map((conversation) => conversation.contactId);
    const contacts = new Map((await getContacts(database, workspaceId, ids)).map((contact) => [contact.id, contact]));
    const addresses = await identitiesOf(database, workspaceId, ids);
    const names = await tagNames(database, workspaceId, [...new Set(conversations.flatMap((conversation) => conversation.tags))]);
    const channels = await engine.channels.list(workspaceId, {
      ids: [...new Set(conversations.map((conversation) => conversation.channelId))],
      statuses: ['setting-up', 'pending', 'active', 'warning', 'failed', 'inactive', 'deleted'],
    });
    return conversations.map((conversation) => {
      const { metadata } = conversation;
      const source = channels.find((channel) => channel.id === conversation.channelId)?.source ?? '';
      const address = addresses.find((identity) => identity.contactId === conversation.contactId);
      return {
        id: idOf('conv', conversation.id),
        subject: conversation.subject,
        status: statusOf(conversation.state),
        priority: PRIORITIES.find((known) => known === metadata.priority) ?? 'medium',
        channel: CHANNELS.find((known) => SOURCES[known].includes(source)) ?? source,
        contact_id: idOf('ct', conversation.contactId),
        contact_name: contacts.get(conversation.contactId)?.displayName ?? address?.value ?? null,
        assigned_team_id: metadata.assigned_team_id ?? null,
        assigned_agent_id: metadata.assigned_agent_id ?? null,
        tags: conversation.tags.map((tag) => names.get(tag) ?? tag),
        created_at: timeOf(conversation.createdAt),
        last_activity_at: timeOf(conversation.lastMessageAt ?? conversation.updatedAt),
      };
    });
  }

  function shownMessage(message: Message) {
    return {
      id: idOf('msg', message.id),
      conversation_id: idOf('conv', message.conversationId),
      direction: message.direction === 'in' ? 'inbound' : 'outbound',
      content: message.content.type === 'email' ? (message.content.reply ?? message.content.text) : textOf(message.content),
      content_type: message.content.type,
      attachments: mediaOf(message.content).map((ref) => ({
        url: ref.id ? engine.media.signedUrl(message.workspaceId, ref.id) : (ref.url ?? null),
        filename: ref.filename ?? null,
        mime_type: ref.mimeType ?? null,
        size: ref.size ?? null,
      })),
      sender_name: message.senderName,
      status: message.state,
      error: message.error?.message ?? null,
      created_at: timeOf(message.sentAt),
    };
  }
}

function given<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}

function statusOf(state: string | null): (typeof STATUSES)[number] {
  return STATUSES.find((known) => known === state?.toLowerCase()) ?? 'open';
}

interface Filters {
  status?: (typeof STATUSES)[number];
  priority?: string;
  channel?: (typeof CHANNELS)[number];
  assigned_team_id?: string;
  assigned_agent_id?: string;
  contact_id?: string;
  tags?: string;
  search?: string;
}

function conditionOf(filters: Filters, principal: Principal): Condition | undefined {
  const parts: Condition[] = [];
  const add = (sql: string, ...values: unknown[]) => parts.push({ sql, values });
  if (principal.sandbox) add('h.sandbox');
  if (filters.status === 'open') add(`upper(coalesce(c.state, 'OPEN')) not in ('PENDING', 'RESOLVED', 'CLOSED')`);
  else if (filters.status) add('upper(c.state) = $?', filters.status.toUpperCase());
  if (filters.priority) add(`coalesce(c.metadata ->> 'priority', 'medium') = $?`, filters.priority);
  if (filters.channel) add('h.source = any($?)', SOURCES[filters.channel]);
  if (filters.assigned_team_id) add(`c.metadata ->> 'assigned_team_id' = $?`, filters.assigned_team_id);
  if (filters.assigned_agent_id) add(`c.metadata ->> 'assigned_agent_id' = $?`, filters.assigned_agent_id);
  // Nobody wrote under an id that is none.
  if (filters.contact_id) add('c.contact_id = $?::uuid', uuidIn('ct', filters.contact_id) ?? NOBODY);
  for (const tag of (filters.tags ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)) {
    add(
      `exists (select 1 from unnest(c.tags) g left join tags t on t.workspace_id = c.workspace_id and t.id::text = g where $? in (g, t.name))`,
      tag,
    );
  }
  if (filters.search) {
    add(
      `(strpos(lower(c.subject), lower($?)) > 0 or strpos(lower(k.display_name), lower($?)) > 0 or exists (
         select 1 from identities i where i.workspace_id = k.workspace_id and i.contact_id = k.id and strpos(lower(i.value), lower($?)) > 0))`,
      filters.search,
      filters.search,
      filters.search,
    );
  }
  if (parts.length === 0) return undefined;
  return { sql: parts.map((part) => part.sql).join(' and '), values: parts.flatMap((part) => part.values) };
}
