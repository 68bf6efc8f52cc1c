/** Conversations and what is written in them. */
import Type, { type Static } from 'typebox';
import { lockConversation, markConversationRead } from '../../engine/conversations.ts';
import type { Engine } from '../../engine/engine.ts';
import { agentTyping } from '../../engine/typing.ts';
import type { Conversation as Row } from '../../model/conversation.ts';
import { notFound } from '../../model/errors.ts';
import { type Condition, changeConversation, listConversations } from '../../store/conversations.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import { listInConversation } from '../../store/messages.ts';
import type { Principal } from '../auth.ts';
import { conversationFor } from './access.ts';
import { showConversation, showConversations } from './conversation-view.ts';
import { showMessageOf, showMessages } from './message-view.ts';
import { page, placeOf, placeToken } from './paging.ts';
import { showPreview } from './preview-view.ts';
import { ids, listAnswer, listOf, listQuery, NoContent, oneOf, Uuid } from './schemas/common.ts';
import { Conversation, ConversationChange } from './schemas/conversation.ts';
import { AnswerBody, Message, Preview } from './schemas/message.ts';
import { requestInConversation, sendInConversation } from './sending.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Conversations'];

const ConversationQuery = listQuery({
  channelId: listOf(Uuid),
  contactId: Type.Optional(Uuid),
  status: Type.Optional(oneOf(['active', 'closed'])),
  unread: Type.Optional(Type.Boolean({ description: 'true: only those with something unread.' })),
  tag: listOf(Type.String({ minLength: 1, maxLength: 50 }), { description: 'Those with any of these.' }),
  search: Type.Optional(Type.String({ maxLength: 200, description: 'Part of the name, an address, the subject.' })),
});

export function conversationRoutes(app: Routes, { engine }: SurfaceParts): void {
  reads(app, engine);
  writes(app, engine);
}

function reads(app: Routes, engine: Engine): void {
  app.get(
    '/conversations',
    {
      config: { scope: 'conversations:read' },
      schema: {
        tags,
        operationId: 'listConversations',
        summary: 'The conversations, by the newest message first',
        params: ids(),
        querystring: ConversationQuery,
        response: { 200: listAnswer(Conversation) },
      },
    },
    async (request) => {
      const { workspaceId } = request.principal;
      const limit = request.query.limit ?? 10;
      const after = placeOf(request.query.pageToken);
      const where = conditionOf(request.principal, request.query);
      const { conversations } = await listConversations(engine.database, workspaceId, {
        ...(where ? { where } : {}),
        ...(after ? { after: { lastMessageAt: after.at, id: after.id } } : {}),
        oldestFirst: request.query.reverse ?? false,
        limit: limit + 1,
      });
      const { rows, ...next } = page(conversations, limit, (row) => placeToken({ at: row.lastMessageAt!, id: row.id }));
      return { results: await showConversations(engine, workspaceId, rows), ...next };
    },
  );
  app.get(
    '/conversations/:conversationId',
    {
      config: { scope: 'conversations:read' },
      schema: {
        tags,
        operationId: 'getConversation',
        summary: 'One conversation',
        params: ids('conversationId'),
        response: { 200: Conversation },
      },
    },
    async (request) => showConversation(engine, await conversationFor(engine, request.principal, request.params.conversationId)),
  );
  app.get(
    '/conversations/:conversationId/messages',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        operationId: 'listConversationMessages',
        summary: 'What was written, newest first',
        params: ids('conversationId'),
        querystring: listQuery({}),
        response: { 200: listAnswer(Message) },
      },
    },
    async (request) => {
      const conversation = await conversationFor(engine, request.principal, request.params.conversationId);
      const limit = request.query.limit ?? 10;
      const before = placeOf(request.query.pageToken);
      const messages = await listInConversation(engine.database, conversation.workspaceId, conversation.id, {
        ...(before ? { before: { sentAt: before.at, id: before.id } } : {}),
        oldestFirst: request.query.reverse ?? false,
        limit: limit + 1,
      });
      const { rows, ...next } = page(messages, limit, (row) => placeToken({ at: row.sentAt, id: row.id }));
      return { results: await showMessages(engine, conversation.workspaceId, rows), ...next };
    },
  );
}

function writes(app: Routes, engine: Engine): void {
  app.patch(
    '/conversations/:conversationId',
    {
      config: { scope: 'conversations:write' },
      schema: {
        tags,
        operationId: 'changeConversation',
        summary: 'Close or open, name or tag a conversation',
        params: ids('conversationId'),
        body: ConversationChange,
        response: { 200: Conversation },
      },
    },
    async (request) => {
      const row = await conversationFor(engine, request.principal, request.params.conversationId);
      return showConversation(engine, await change(engine, row, request.body));
    },
  );
  app.post(
    '/conversations/:conversationId/messages',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'answerConversation',
        summary: 'Write in a conversation',
        params: ids('conversationId'),
        body: AnswerBody,
        response: { 202: Message },
      },
    },
    async (request, reply) => {
      const row = await conversationFor(engine, request.principal, request.params.conversationId);
      const message = await sendInConversation(engine, request, row, request.body);
      return reply.code(202).send(await showMessageOf(engine, message));
    },
  );
  app.post(
    '/conversations/:conversationId/messages/preview',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'previewAnswer',
        summary: 'What answering would do; nothing is sent or stored',
        params: ids('conversationId'),
        body: AnswerBody,
        response: { 200: Preview },
      },
    },
    async (request) => {
      const row = await conversationFor(engine, request.principal, request.params.conversationId);
      return showPreview(
        await engine.sender.preview(await requestInConversation(engine, { principal: request.principal }, row, request.body)),
      );
    },
  );
  app.post(
    '/conversations/:conversationId/read',
    {
      config: { scope: 'conversations:write' },
      schema: {
        tags,
        operationId: 'markConversationRead',
        summary: 'Everything in it was read',
        params: ids('conversationId'),
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const row = await conversationFor(engine, request.principal, request.params.conversationId);
      await markConversationRead(engine, row.workspaceId, row.id);
      return reply.code(204).send(null);
    },
  );
  app.post(
    '/conversations/:conversationId/typing',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'setTyping',
        summary: 'Show the contact that somebody is writing, or is not any more',
        params: ids('conversationId'),
        body: Type.Object({ on: Type.Boolean() }, { additionalProperties: false }),
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const row = await conversationFor(engine, request.principal, request.params.conversationId);
      await agentTyping(engine, row.workspaceId, row.id, request.body.on, request.principal.name);
      return reply.code(204).send(null);
    },
  );
}

/** Over the tables as `listConversations` names them. */
function conditionOf(principal: Principal, query: Static<typeof ConversationQuery>): Condition | undefined {
  const parts: string[] = [];
  const values: unknown[] = [];
  const add = (sql: string, ...bound: unknown[]) => {
    parts.push(sql);
    values.push(...bound);
  };
  if (principal.sandbox) add('h.sandbox');
  if (query.channelId) add('c.channel_id = any($?::uuid[])', query.channelId);
  if (query.contactId) add('c.contact_id = $?::uuid', query.contactId);
  if (query.status) add(`(coalesce(upper(c.state), '') = 'CLOSED') = $?::boolean`, query.status === 'closed');
  if (query.unread) add('c.unread_count > 0');
  if (query.tag) add("c.tags <> '{}' and c.tags && $?::text[]", query.tag);
  if (query.search) {
    const { search } = query;
    add(
      `(strpos(lower(coalesce(k.display_name, '')), lower($?)) > 0 or strpos(lower(coalesce(c.subject, '')), lower($?)) > 0
        or strpos(lower(coalesce(c.metadata->>'name', '')), lower($?)) > 0
        or exists (select 1 from identities i where i.workspace_id = c.workspace_id and i.contact_id = c.contact_id
          and strpos(lower(i.value), lower($?)) > 0))`,
      search,
      search,
      search,
      search,
    );
  }
  return parts.length > 0 ? { sql: parts.join(' and '), values } : undefined;
}

async function change(engine: Engine, row: Row, body: ConversationChange): Promise<Row> {
  const { workspaceId, id } = row;
  return engine.database.transaction(async (client) => {
    const { metadata } = await lockConversation(client, workspaceId, id);
    let changed = await changeConversation(client, workspaceId, id, {
      ...(body.status ? { state: body.status === 'closed' ? 'CLOSED' : 'OPEN' } : {}),
      ...(body.name === undefined ? {} : { metadata: { ...metadata, name: body.name } }),
    });
    for (const addTag of body.tags?.add ?? []) changed = await changeConversation(client, workspaceId, id, { addTag });
    for (const removeTag of body.tags?.remove ?? []) changed = await changeConversation(client, workspaceId, id, { removeTag });
    if (!changed) throw notFound('conversation');
    await appendEvents(client, [
      {
        workspaceId,
        type: 'conversation.updated',
        channelId: row.channelId,
        contactId: row.contactId,
        conversationId: id,
        data: { ...body, ...(body.status ? { state: body.status === 'closed' ? 'CLOSED' : 'OPEN' } : {}) },
      },
    ]);
    return changed;
  });
}
