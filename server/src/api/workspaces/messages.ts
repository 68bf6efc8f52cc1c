/** Messages of a channel, of the workspace, and what people did with them. */
import type { Readable } from 'node:stream';
import Type, { type Static } from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { react } from '../../engine/react.ts';
import { takeBack } from '../../engine/take-back.ts';
import { notFound } from '../../model/errors.ts';
import type { MessageState } from '../../model/message.ts';
import { type ChannelMessagePage, listInChannel } from '../../store/messages.ts';
import { rawEventOfMessage } from '../../store/raw-events.ts';
import type { Principal } from '../auth.ts';
import { channelFor, liveChannelFor, messageFor } from './access.ts';
import { interactionsOf } from './interactions.ts';
import { showMessageOf, showMessages } from './message-view.ts';
import { idOf, idToken, page } from './paging.ts';
import { showPreview } from './preview-view.ts';
import { ids, listAnswer, listOf, listQuery, nullable, oneOf, Uuid } from './schemas/common.ts';
import { Interaction, MESSAGE_STATUSES, Message, Preview, SendBody } from './schemas/message.ts';
import { requestOnChannel, sendOnChannel } from './sending.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Messages'];

const MessageQuery = listQuery({
  direction: Type.Optional(oneOf(['incoming', 'outgoing'])),
  status: listOf(oneOf(MESSAGE_STATUSES)),
  startAt: Type.Optional(Type.String({ format: 'date-time' })),
  endAt: Type.Optional(Type.String({ format: 'date-time' })),
  contactId: Type.Optional(Uuid),
  phonenumber: Type.Optional(Type.String({ maxLength: 40 })),
});

/** The states that are shown as a status. */
const STATES_OF: Record<(typeof MESSAGE_STATUSES)[number], MessageState[]> = {
  accepted: ['pending'],
  rejected: [],
  processing: ['unknown'],
  scheduled: ['scheduled'],
  sent: ['sent'],
  sending_failed: ['failed'],
  delivered: ['delivered', 'read'],
  delivery_failed: ['failed'],
  deleted: [],
  skipped: [],
};

export function messageRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.get(
    '/channels/messages',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        operationId: 'listWorkspaceMessages',
        summary: 'The messages of all channels, newest first',
        params: ids(),
        querystring: MessageQuery,
        response: { 200: listAnswer(Message) },
      },
    },
    async (request) => pageOfMessages(engine, request.principal, null, request.query),
  );
  app.get(
    '/channels/:channelId/messages',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        operationId: 'listChannelMessages',
        summary: 'The messages of a channel, newest first',
        params: ids('channelId'),
        querystring: MessageQuery,
        response: { 200: listAnswer(Message) },
      },
    },
    async (request) => {
      const channel = await channelFor(engine, request.principal, request.params.channelId);
      return pageOfMessages(engine, request.principal, channel.id, request.query);
    },
  );
  app.post(
    '/channels/:channelId/messages',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'sendMessage',
        summary: 'Send a message; who is not known yet becomes a contact',
        params: ids('channelId'),
        body: SendBody,
        response: { 202: Message },
      },
    },
    async (request, reply) => {
      const channel = await liveChannelFor(engine, request.principal, request.params.channelId);
      const message = await sendOnChannel(engine, request, channel, request.body);
      return reply.code(202).send(await showMessageOf(engine, message));
    },
  );
  app.post(
    '/channels/:channelId/messages/preview',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'previewMessage',
        summary: 'What sending would do: the content, the parts it is billed in, what stands against it. Nothing is sent or stored',
        params: ids('channelId'),
        body: SendBody,
        response: { 200: Preview },
      },
    },
    async (request) => {
      const channel = await liveChannelFor(engine, request.principal, request.params.channelId);
      return showPreview(
        await engine.sender.preview(await requestOnChannel(engine, { principal: request.principal }, channel, request.body)),
      );
    },
  );
  app.get(
    '/channels/:channelId/messages/:messageId',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        operationId: 'getMessage',
        summary: 'One message',
        params: ids('channelId', 'messageId'),
        response: { 200: Message },
      },
    },
    async (request) => {
      const { channelId, messageId } = request.params;
      return showMessageOf(engine, await messageFor(engine, request.principal, messageId, channelId));
    },
  );
  app.get(
    '/channels/:channelId/messages/:messageId/interactions',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        operationId: 'listInteractions',
        summary: 'What the contact did with a message: read it, reacted to it',
        params: ids('channelId', 'messageId'),
        response: { 200: listAnswer(Interaction) },
      },
    },
    async (request) => {
      const { channelId, messageId } = request.params;
      const message = await messageFor(engine, request.principal, messageId, channelId);
      return { results: interactionsOf(message, await showMessageOf(engine, message)) };
    },
  );
  app.get(
    '/messages/:messageId/source',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        operationId: 'getMessageSource',
        summary: 'What the message was read from, as the provider sent it: the whole mail, or the payload',
        params: ids('messageId'),
        produces: ['application/octet-stream'],
        response: { 200: Type.Unsafe<Buffer | Readable>({ type: 'string', format: 'binary' }) },
      },
    },
    async (request, reply) => {
      const message = await messageFor(engine, request.principal, request.params.messageId);
      const event = await rawEventOfMessage(engine.database, message.workspaceId, message.id);
      if (!event && message.payload == null) throw notFound('source of this message');
      const source = event ? await engine.spool.whole(event) : Buffer.from(JSON.stringify(message.payload, null, 2));
      const ending = !event ? 'json' : event.contentType.startsWith('message/rfc822') ? 'eml' : 'txt';
      return reply
        .header('content-disposition', `attachment; filename="${message.id}.${ending}"`)
        .header('x-content-type-options', 'nosniff')
        .type('application/octet-stream')
        .send(source);
    },
  );
  app.post(
    '/messages/:messageId/resend',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'resendMessage',
        summary: 'Put a failed message in line again',
        params: ids('messageId'),
        response: { 202: Message },
      },
    },
    async (request, reply) => {
      const message = await messageFor(engine, request.principal, request.params.messageId);
      const revived = await engine.sender.resend(message.workspaceId, message.id);
      return reply.code(202).send(await showMessageOf(engine, revived));
    },
  );
  app.post(
    '/messages/:messageId/cancel',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'cancelMessage',
        summary: 'Take a message back: one that waits or is scheduled, or one that was not delivered yet where the source can',
        params: ids('messageId'),
        response: { 200: Message },
      },
    },
    async (request) => {
      const message = await messageFor(engine, request.principal, request.params.messageId);
      const channel = await channelFor(engine, request.principal, message.channelId);
      await takeBack(engine, channel, message);
      return showMessageOf(engine, await messageFor(engine, request.principal, message.id));
    },
  );
  app.post(
    '/messages/:messageId/reactions',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'reactToMessage',
        summary: 'React to a message, or take the reaction away',
        params: ids('messageId'),
        body: Type.Object(
          { emoji: nullable(Type.String({ minLength: 1, maxLength: 40, description: 'null takes it away.' })) },
          { additionalProperties: false, examples: [{ emoji: '👍' }] },
        ),
        response: { 200: Message },
      },
    },
    async (request) => {
      const message = await messageFor(engine, request.principal, request.params.messageId);
      const channel = await liveChannelFor(engine, request.principal, message.channelId);
      await react(engine, channel, message, request.body.emoji);
      return showMessageOf(engine, await messageFor(engine, request.principal, message.id));
    },
  );
}

async function pageOfMessages(engine: Engine, principal: Principal, channelId: string | null, query: Static<typeof MessageQuery>) {
  const limit = query.limit ?? 10;
  const after = idOf(query.pageToken);
  const filter: ChannelMessagePage = {
    channelId,
    ...(query.direction ? { direction: query.direction === 'incoming' ? 'in' : 'out' } : {}),
    ...(query.status ? { states: query.status.flatMap((status) => STATES_OF[status]) } : {}),
    ...(query.startAt ? { startAt: new Date(query.startAt) } : {}),
    ...(query.endAt ? { endAt: new Date(query.endAt) } : {}),
    ...(query.contactId ? { contactId: query.contactId } : {}),
    // A plus sign that nobody encoded arrives as a space.
    ...(query.phonenumber ? { address: { kind: 'phonenumber', value: `+${query.phonenumber.replace(/\D/g, '')}` } } : {}),
    ...failedFilter(query.status ?? []),
    ...(principal.sandbox ? { sandboxOnly: true } : {}),
    ...(after ? { after } : {}),
    oldestFirst: query.reverse ?? false,
    limit: limit + 1,
  };
  const rows = await listInChannel(engine.database, principal.workspaceId, filter);
  const { rows: kept, ...next } = page(rows, limit, (row) => idToken(row.id));
  return { results: await showMessages(engine, principal.workspaceId, kept), ...next };
}

/** Both failures are one state of ours. */
function failedFilter(statuses: readonly string[]): Pick<ChannelMessagePage, 'failedAfterSending'> {
  const sending = statuses.includes('sending_failed');
  const delivery = statuses.includes('delivery_failed');
  return sending === delivery ? {} : { failedAfterSending: delivery };
}
