/** The visitor's side of live chat: airy.md 6.1, and how the widget is set up. */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { submitChatEvent } from '../../engine/visitor-events.ts';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { isUuid, uuidv7 } from '../../model/ids.ts';
import type { Message } from '../../model/message.ts';
import { allows } from '../../model/scopes.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { changeConversation, getConversation } from '../../store/conversations.ts';
import { newestSeq } from '../../store/events.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import { getByProviderId, listInConversation } from '../../store/messages.ts';
import type { Authenticator } from '../auth.ts';
import { addIdempotency, IDEMPOTENCY_STATUS } from '../idempotency.ts';
import { type Visitor, Visitors } from '../live/visitor.ts';
import { visitorMessageView } from '../live/visitor-view.ts';
import { addMediaUpload } from './media.ts';
import { EMPTY, Id, operationId } from './routes.ts';
import { ErrorMessage, MessageAnswer, Nothing, ResumeAnswer, TokenAnswer, WidgetAnswer } from './schemas.ts';
import { Show } from './show.ts';

const HISTORY = 500;
const MESSAGES_A_MINUTE = 60;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the handlers of routes that take a visitor's token. */
    visitor?: Visitor;
  }
}

const SendBody = Type.Object({
  message: Type.Unknown(),
  /** The page's own id of the message: the same one again is the same message. */
  client_id: Type.Optional(Id),
});

/** To be added in a scope of the Airy surface. */
export async function addChatplugin(scope: FastifyInstance, engine: Engine, auth: Authenticator): Promise<void> {
  const visitors = new Visitors(engine);
  const show = new Show(engine);
  const schema = (name: string, summary: string, answer: Type.TSchema, body: Type.TSchema = EMPTY) => ({
    tags: ['Airy live chat'],
    operationId: operationId(name),
    summary,
    body,
    response: { [answer === Nothing ? 204 : 200]: answer, '4xx': ErrorMessage, 503: ErrorMessage },
  });
  await scope.register(rateLimit, { global: false });
  addIdempotency(scope, engine, {
    refusal: (problem, message) => ({ status: IDEMPOTENCY_STATUS[problem], body: { message } }),
    owner: ({ visitor, principal }) => {
      if (visitor) return { workspaceId: visitor.workspaceId, id: visitor.conversationId };
      return principal && { workspaceId: principal.workspaceId, id: '' };
    },
  });
  addMediaUpload(scope, engine, auth);
  const admit = async (request: FastifyRequest, reply: FastifyReply) => {
    const visitor = await visitors.byToken(request.headers.authorization);
    if (!visitor) return reply.code(403).send({ message: 'the token is missing, wrong, or its time is over' });
    request.visitor = visitor;
  };

  scope.get<{ Querystring: { channel_id?: string } }>(
    '/widget/config',
    {
      schema: {
        tags: ['Airy live chat'],
        operationId: operationId('widget.config'),
        summary: 'How the widget of a channel looks',
        querystring: Type.Object({ channel_id: Type.Optional(Type.String()) }),
        response: { 200: WidgetAnswer, '4xx': ErrorMessage },
      },
    },
    async (request) => {
      const { channel_id: id } = request.query;
      const channel = isUuid(id) ? await visitors.openChannel(id) : undefined;
      if (!channel) throw notFound('channel');
      checkOrigin(visitors, channel, request);
      const { name, imageUrl } = channel;
      return { channel: { id: channel.id, name, image_url: imageUrl }, config: channel.settings.config ?? {} };
    },
  );

  const AuthenticateBody = Type.Object({ channel_id: Type.Optional(Id), resume_token: Type.Optional(Type.String()) });
  scope.post<{ Body: Static<typeof AuthenticateBody> }>(
    '/chatplugin.authenticate',
    { schema: schema('chatplugin.authenticate', 'Begin a chat, or come back to one', TokenAnswer, AuthenticateBody) },
    async (request, reply) => {
      const { channel_id: channelId, resume_token: resumeToken } = request.body;
      if (resumeToken) {
        const visitor = await visitors.byResumeToken(resumeToken);
        if (!visitor || (await visitors.hasEnded(visitor))) {
          return reply.code(401).send({ message: 'the resume token is wrong, or its time or its chat is over' });
        }
        checkOrigin(visitors, await openChannel(visitors, visitor), request);
        // Read before the messages: what comes in between is told twice rather than never.
        const cursor = String(await newestSeq(engine.database, visitor.workspaceId));
        return { token: await visitors.token(visitor), messages: await history(visitor), cursor };
      }
      if (!channelId) throw new PatchbayError('invalid', 'channel_id or resume_token is required');
      const channel = await visitors.openChannel(channelId);
      if (!channel) throw notFound('channel');
      checkOrigin(visitors, channel, request);
      const { workspaceId } = channel;
      const cursor = String(await newestSeq(engine.database, workspaceId));
      const token = await visitors.token({ workspaceId, channelId: channel.id, conversationId: uuidv7() });
      return { token, messages: [], cursor };
    },
  );

  const limited = {
    rateLimit: {
      max: MESSAGES_A_MINUTE,
      timeWindow: 60_000,
      hook: 'preHandler' as const,
      keyGenerator: (request: FastifyRequest) => request.visitor?.conversationId ?? request.ip,
      errorResponseBuilder: () => new PatchbayError('rate-limited', 'too many messages; try again in a minute'),
    },
  };
  scope.post<{ Body: Static<typeof SendBody> }>(
    '/chatplugin.send',
    { schema: schema('chatplugin.send', 'Write as the visitor', MessageAnswer, SendBody), config: limited, onRequest: admit },
    async (request) => {
      const visitor = request.visitor!;
      const channel = await openChannel(visitors, visitor);
      checkOrigin(visitors, channel, request);
      if (await visitors.hasEnded(visitor)) throw new PatchbayError('forbidden', 'this chat has ended');
      return visitorMessageView(await write(channel, visitor, request.body), show.write);
    },
  );

  const ResumeBody = Type.Object({ channel_id: Type.Optional(Id), conversation_id: Type.Optional(Id) });
  scope.post<{ Body: Static<typeof ResumeBody> }>(
    '/chatplugin.resumeToken',
    { schema: schema('chatplugin.resumeToken', 'A token to come back to the chat with, for a week', ResumeAnswer, ResumeBody) },
    async (request, reply) => {
      const visitor = await visitors.byToken(request.headers.authorization);
      if (visitor) {
        checkOrigin(visitors, await openChannel(visitors, visitor), request);
        return { resume_token: await visitors.resumeToken(visitor) };
      }
      const principal = await auth.identify(request);
      if (!principal) return reply.code(403).send({ message: 'the token is missing, wrong, or its time is over' });
      if (!allows(principal.scopes, 'conversations:write')) {
        return reply.code(403).send({ message: 'the API key lacks the scope conversations:write' });
      }
      const { channel_id: channelId, conversation_id: conversationId } = request.body;
      if (!channelId || !conversationId) throw new PatchbayError('invalid', 'channel_id and conversation_id are required');
      const { workspaceId } = principal;
      const conversation = await getConversation(engine.database, workspaceId, conversationId);
      if (conversation?.channelId !== channelId.toLowerCase()) throw notFound('conversation');
      const owner = { workspaceId, channelId: conversation.channelId, conversationId: conversation.id };
      const channel = await openChannel(visitors, owner);
      if (principal.sandbox && !channel.sandbox) throw notFound('conversation');
      return { resume_token: await visitors.resumeToken(owner) };
    },
  );

  scope.post(
    '/chatplugin.end',
    { schema: schema('chatplugin.end', 'End the chat; its tokens do not open it again', Nothing), onRequest: admit },
    async (request, reply) => {
      const visitor = request.visitor!;
      checkOrigin(visitors, await openChannel(visitors, visitor), request);
      await end(visitor);
      return reply.code(204).send();
    },
  );

  async function history(visitor: Visitor) {
    const newest = await listInConversation(engine.database, visitor.workspaceId, visitor.conversationId, { limit: HISTORY });
    return newest
      .filter((message) => message.state !== 'scheduled')
      .reverse()
      .map((message) => visitorMessageView(message, show.write));
  }

  async function write(channel: ChannelRow, visitor: Visitor, body: Static<typeof SendBody>): Promise<Message> {
    const { workspaceId, conversationId } = visitor;
    // Two visitors may choose the same id: it counts within the conversation.
    const id = body.client_id ? `${conversationId} ${body.client_id.toLowerCase()}` : uuidv7();
    await submitChatEvent(engine, channel, {
      type: 'message',
      id,
      visitor: conversationId,
      conversation: conversationId,
      message: body.message,
      at: new Date().toISOString(),
      files: filesIn(workspaceId, body.message),
    });
    const message = await getByProviderId(engine.database, workspaceId, channel.id, id);
    if (!message) throw new PatchbayError('not-found', 'the channel was disconnected');
    return message;
  }

  function filesIn(workspaceId: string, message: unknown): Record<string, string> {
    const url = (message as { attachment?: { payload?: { url?: unknown } } } | null)?.attachment?.payload?.url;
    const id = typeof url === 'string' ? engine.media.idOf(workspaceId, url) : undefined;
    return id ? { [url as string]: id } : {};
  }

  async function end(visitor: Visitor): Promise<void> {
    const { workspaceId, conversationId } = visitor;
    await engine.database.transaction(async (client) => {
      const conversation = await getConversation(client, workspaceId, conversationId);
      if (!conversation || conversation.metadata.ended_at !== undefined) return;
      const metadata = { ...conversation.metadata, ended_at: new Date().toISOString() };
      await changeConversation(client, workspaceId, conversationId, { state: 'CLOSED', metadata });
      const { channelId, contactId } = conversation;
      const data = { state: 'CLOSED', ended: true };
      await appendEvents(client, [{ workspaceId, type: 'conversation.updated', channelId, contactId, conversationId, data }]);
    });
  }
}

async function openChannel(visitors: Visitors, visitor: Visitor): Promise<ChannelRow> {
  const channel = await visitors.channelOf(visitor);
  if (!channel) throw notFound('channel');
  return channel;
}

function checkOrigin(visitors: Visitors, channel: ChannelRow, request: FastifyRequest): void {
  if (!visitors.allows(channel, request.headers.origin)) {
    throw new PatchbayError('forbidden', `the channel may not be used on ${request.headers.origin}`);
  }
}
