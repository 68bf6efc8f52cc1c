/** `messages.*`: airy.md 1.6. */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { isConnected } from '../../model/channel.ts';
import { type Content, textOf } from '../../model/content.ts';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { isUuid, uuidv7 } from '../../model/ids.ts';
import type { Message } from '../../model/message.ts';
import { getConversation } from '../../store/conversations.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import { countInConversation, getMessage, listInConversation, mergeMetadata } from '../../store/messages.ts';
import type { Principal } from '../auth.ts';
import { pageOf, sizeOf } from './paging.ts';
import { PendingSends } from './pending-sends.ts';
import { type Airy, type Call, Cursor, Id, PageSize } from './routes.ts';
import { MessageAnswer, Nothing, pageAnswer } from './schemas.ts';

const SendBody = Type.Object({
  conversation_id: Type.Optional(Id),
  source_recipient_id: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
  channel_id: Type.Optional(Id),
  message: Type.Optional(Type.Unknown()),
});

export function addMessages(airy: Airy): void {
  const { engine, show } = airy;
  const pending = new PendingSends(engine);
  airy.scope.addHook('preClose', async () => pending.stop());

  airy.post(
    'messages.list',
    {
      needs: 'messages:read',
      answer: pageAnswer(MessageAnswer),
      summary: "A conversation's messages, newest first",
      body: Type.Object({ conversation_id: Id, cursor: Cursor, page_size: PageSize }),
    },
    async ({ body, workspaceId }) => {
      if (!(await getConversation(engine.database, workspaceId, body.conversation_id))) throw notFound('conversation');
      const page = await messagePage(engine, workspaceId, body.conversation_id, body);
      return { data: show.messages(page.messages), pagination_data: page.pagination };
    },
  );

  airy.post(
    'messages.send',
    {
      needs: 'messages:write',
      answer: MessageAnswer,
      status: [200, 202],
      summary: 'Send a message to a conversation, or to an address on a channel',
      body: SendBody,
    },
    async (call) => send(airy, pending, call),
  );

  airy.post(
    'messages.resend',
    { answer: Nothing, needs: 'messages:write', status: 200, summary: 'Try a failed message again', body: Type.Object({ message_id: Id }) },
    async ({ body, workspaceId, reply }) => {
      await engine.sender.resend(workspaceId, body.message_id);
      return reply.code(200).send();
    },
  );

  airy.post(
    ['messages.suggest-replies', 'messages.suggestReplies'],
    {
      needs: 'messages:write',
      answer: MessageAnswer,
      summary: 'Keep suggested answers with a message',
      body: Type.Object({
        message_id: Id,
        suggestions: Type.Record(Type.String(), Type.Object({ content: Type.Unknown() }, { additionalProperties: true })),
      }),
    },
    async ({ body, workspaceId }) => show.message(await suggest(engine, workspaceId, body.message_id, body.suggestions)),
  );
}

/** A page of messages; when all fit into one, the cursor does not matter. */
export async function messagePage(
  engine: Engine,
  workspaceId: string,
  conversationId: string,
  asked: { cursor?: string; page_size?: number },
): Promise<{ messages: Message[]; pagination: ReturnType<typeof pageOf> }> {
  const size = sizeOf(asked.page_size);
  const total = await countInConversation(engine.database, workspaceId, conversationId);
  const before = asked.cursor && total > size ? await cursorMessage(engine, workspaceId, conversationId, asked.cursor) : undefined;
  const found = await listInConversation(engine.database, workspaceId, conversationId, {
    ...(before ? { before } : {}),
    limit: size + 1,
  });
  const messages = found.slice(0, size);
  const next = found.length > size ? messages.at(-1)!.id : null;
  return { messages, pagination: pageOf(before ? asked.cursor! : null, next, total) };
}

async function cursorMessage(engine: Engine, workspaceId: string, conversationId: string, cursor: string): Promise<Message> {
  const message = isUuid(cursor) ? await getMessage(engine.database, workspaceId, cursor) : undefined;
  if (message?.conversationId !== conversationId) throw new PatchbayError('invalid', 'the cursor is not from this list');
  return message;
}

async function send(airy: Airy, pending: PendingSends, call: Call<Type.Static<typeof SendBody>>): Promise<unknown> {
  const { engine, show } = airy;
  const { body, workspaceId, principal, request, reply } = call;
  const payload = body.message;
  const sender = senderOf(principal);
  if (payload === undefined) throw new PatchbayError('invalid', 'message is required');
  if (body.conversation_id) {
    const conversation = await getConversation(engine.database, workspaceId, body.conversation_id);
    if (!conversation) {
      const id = request.intendedId ?? uuidv7();
      pending.add({ workspaceId, conversationId: body.conversation_id, messageId: id, payload, sender });
      return reply.code(202).send({
        id,
        content: payload,
        sent_at: new Date().toISOString(),
        delivery_state: 'pending',
        from_contact: false,
        source: '',
        metadata: {},
        sender: { id: sender.id, name: sender.name, avatar_url: null },
      });
    }
    const channel = await engine.channels.get(workspaceId, conversation.channelId);
    const content = nativeContent(engine, channel.source, payload);
    const to = { conversationId: conversation.id };
    return show.message(await engine.sender.send({ workspaceId, to, content, sender, messageId: request.intendedId }));
  }
  if (!body.source_recipient_id || !body.channel_id) {
    throw new PatchbayError('invalid', 'either conversation_id, or source_recipient_id and channel_id, must be given');
  }
  const channel = await engine.channels.get(workspaceId, body.channel_id).catch((error: unknown) => {
    throw error instanceof PatchbayError && error.code === 'not-found'
      ? new PatchbayError('channel-inactive', 'there is no such channel')
      : error;
  });
  if (!isConnected(channel.status)) throw new PatchbayError('channel-inactive', `${channel.name} is not connected`);
  const { kind } = engine.channels.connectorOf(channel.source).identity;
  const message = await engine.sender.send({
    workspaceId,
    to: { channelId: channel.id, identity: { kind, value: addressOf(kind, body.source_recipient_id) } },
    content: nativeContent(engine, channel.source, payload),
    sender,
    messageId: request.intendedId,
  });
  return show.message(message);
}

export function senderOf(principal: Principal): { id: string; name: string } {
  return { id: principal.keyId, name: principal.name };
}

/** A payload in the source's own shape, with readable text for lists and search where its shape is known. */
export function nativeContent(engine: Engine, source: string, payload: unknown): Content {
  const read = engine.registry.connector(source)?.readNative?.(payload);
  const text = read && textOf(read);
  return { type: 'native', payload, ...(text ? { text } : {}) };
}

/** Airy's clients write numbers with spaces; what stands before a number is the connector's to read. */
function addressOf(kind: string, recipient: string): string {
  return kind === 'phonenumber' ? recipient.replace(/\s+/g, '') : recipient;
}

async function suggest(engine: Engine, workspaceId: string, messageId: string, suggestions: Record<string, unknown>): Promise<Message> {
  return engine.database.transaction(async (client) => {
    const message = await getMessage(client, workspaceId, messageId);
    if (!message) throw notFound('message');
    const merged = { ...(message.metadata.suggestions as Record<string, unknown> | undefined), ...suggestions };
    const changed = (await mergeMetadata(client, workspaceId, messageId, { suggestions: merged }))!;
    await appendEvents(client, [{ ...changed, type: 'message.updated', messageId, data: { metadata: true } }]);
    return changed;
  });
}
