/** Opening conversations, and who is in them. A conversation here is that of one contact on one channel. */
import type { Static } from 'typebox';
import { updateConversation } from '../../engine/conversations.ts';
import { openDestination, type Recipient } from '../../engine/destination.ts';
import type { Engine } from '../../engine/engine.ts';
import { invalid, notFound } from '../../model/errors.ts';
import { uuidv7 } from '../../model/ids.ts';
import { conversationFor, liveChannelFor, messageFor } from './access.ts';
import { showConversation } from './conversation-view.ts';
import { showMessageOf } from './message-view.ts';
import { ids, listAnswer } from './schemas/common.ts';
import { Conversation, OpenConversation, Participant } from './schemas/conversation.ts';
import { Message } from './schemas/message.ts';
import { type Caller, destination, sendOnChannel } from './sending.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Conversations'];

export function openingRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.post(
    '/conversations',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'openConversation',
        summary: 'Open the conversation with a contact on a channel; it is listed from its first message on',
        params: ids(),
        body: OpenConversation,
        response: { 201: Conversation },
      },
    },
    async (request, reply) => {
      const id = await open(engine, request, request.body);
      return reply.code(201).send(await showConversation(engine, await conversationFor(engine, request.principal, id)));
    },
  );
  app.get(
    '/conversations/:conversationId/participants',
    {
      config: { scope: 'conversations:read' },
      schema: {
        tags,
        operationId: 'listParticipants',
        summary: 'Who is in a conversation: its contact',
        params: ids('conversationId'),
        response: { 200: listAnswer(Participant) },
      },
    },
    async (request) => {
      const row = await conversationFor(engine, request.principal, request.params.conversationId);
      return { results: (await showConversation(engine, row)).featuredParticipants };
    },
  );
  app.get(
    '/conversations/:conversationId/messages/:messageId',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        operationId: 'getConversationMessage',
        summary: 'One message of a conversation',
        params: ids('conversationId', 'messageId'),
        response: { 200: Message },
      },
    },
    async (request) => {
      const row = await conversationFor(engine, request.principal, request.params.conversationId);
      const message = await messageFor(engine, request.principal, request.params.messageId);
      if (message.conversationId !== row.id) throw notFound('message');
      return showMessageOf(engine, message);
    },
  );
}

/** Opens or finds it, names it, and says the first word; gives its id. */
async function open(engine: Engine, caller: Caller, body: Static<typeof OpenConversation>): Promise<string> {
  const { workspaceId } = caller.principal;
  const channel = await liveChannelFor(engine, caller.principal, body.channelId);
  const contacts = body.participants.flatMap((participant, n) => (participant.type === 'contact' ? [{ participant, n }] : []));
  if (contacts.length !== 1) throw invalid('participants', 'exactly one of them must be a contact');
  const [{ participant, n }] = contacts as [(typeof contacts)[number]];
  const { type: _type, ...contact } = participant;
  const field = `participants.${n}`;
  const first = body.initialMessage;
  const id = first
    ? (await sendOnChannel(engine, caller, channel, { receiver: { contacts: [contact] }, ...first })).conversationId
    : await opened(engine, workspaceId, await destination(engine, workspaceId, channel.id, contact, field));
  const { name } = body;
  if (name !== undefined) {
    await updateConversation(engine, workspaceId, id, ({ metadata }) => ({ metadata: { ...metadata, name } }), { name });
  }
  return id;
}

async function opened(engine: Engine, workspaceId: string, to: Exclude<Recipient, { conversationId: string }>): Promise<string> {
  const content = { type: 'text', text: '' } as const;
  const found = await engine.database.transaction((client) =>
    openDestination(client, engine.channels, { workspaceId, to, content, messageId: uuidv7() }),
  );
  return found.conversation.id;
}
