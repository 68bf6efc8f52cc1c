/** `sources.*`: somebody brings a channel type of their own (airy.md 1.10, 3.7, 4.8). */
import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static, type TSchema } from 'typebox';
import { customSource as connector } from '../../connectors/custom/index.ts';
import { isConnected } from '../../model/channel.ts';
import { notFound, PatchbayError } from '../../model/errors.ts';
import type { ChannelRow } from '../../store/channels.ts';
import {
  type CustomSource,
  changeCustomSource,
  customSourceByToken,
  deleteCustomSource,
  getCustomSource,
  insertCustomSource,
  listCustomSources,
} from '../../store/custom-sources.ts';
import { hashKey } from '../../store/keys.ts';
import { maySee } from '../access.ts';
import { keyTextOf, type Principal } from '../auth.ts';
import { type Airy, Id, Name, operationId } from './routes.ts';
import { ChannelAnswer, ErrorMessage, listAnswer, NewSourceAnswer, Nothing, SourceAnswer } from './schemas.ts';
import { SourceBatch, takeBatch } from './source-webhook.ts';
import { channelView } from './views.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The source whose program calls; set by the guard of its routes. */
    customSource: CustomSource;
  }
}

const SourceId = Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' });
const ImageUrl = Type.Optional(Type.String({ maxLength: 4000 }));
const Endpoint = Type.Optional(Type.String({ pattern: '^https?://', maxLength: 2000 }));
const Source = Type.Object({ source_id: SourceId, name: Type.Optional(Name), image_url: ImageUrl, action_endpoint: Endpoint });
const One = Type.Object({ source_id: SourceId });
const NewChannel = Type.Object({
  name: Name,
  source_channel_id: Type.String({ minLength: 1, maxLength: 200 }),
  metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});

export function addSources(airy: Airy): void {
  const { engine } = airy;
  const { database } = engine;
  const find = async (workspaceId: string, principal: Principal, id: string): Promise<CustomSource> => {
    const source = await getCustomSource(database, workspaceId, id);
    if (!source || !maySee(principal, source)) throw notFound('source');
    return source;
  };

  airy.post(
    'sources.create',
    { needs: 'channels:write', answer: NewSourceAnswer, summary: 'Bring a source of your own; its token is shown this once', body: Source },
    async ({ body, workspaceId, principal }) => {
      const token = `src_${randomBytes(32).toString('base64url')}`;
      const created = await insertCustomSource(database, {
        workspaceId,
        sourceId: body.source_id,
        name: body.name ?? null,
        imageUrl: body.image_url ?? null,
        actionEndpoint: body.action_endpoint ?? null,
        tokenHash: hashKey(token),
        sandbox: principal.sandbox,
      });
      if (!created) throw new PatchbayError('conflict', 'Source already exists');
      return { ...sourceView(created), token };
    },
  );
  airy.post(
    'sources.list',
    { needs: 'channels:read', answer: listAnswer(SourceAnswer), summary: 'The sources that you brought' },
    async ({ workspaceId, principal }) => ({
      data: (await listCustomSources(database, workspaceId, principal)).map(sourceView),
    }),
  );
  airy.post(
    'sources.update',
    { needs: 'channels:write', answer: SourceAnswer, summary: 'Change a source; its channels follow', body: Source },
    async ({ body, workspaceId, principal }) => {
      const { sourceId } = await find(workspaceId, principal, body.source_id);
      const changed = await changeCustomSource(database, workspaceId, sourceId, {
        name: body.name,
        imageUrl: body.image_url,
        actionEndpoint: body.action_endpoint,
      });
      if (!changed) throw notFound('source');
      if (body.action_endpoint !== undefined) {
        for (const channel of await channelsOf(airy, changed)) {
          await engine.channels.change(workspaceId, channel.id, { settings: { action_endpoint: body.action_endpoint } });
        }
      }
      return sourceView(changed);
    },
  );
  airy.post(
    'sources.delete',
    {
      needs: 'channels:write',
      answer: Nothing,
      status: 202,
      summary: 'Give a source up; its channels are disconnected, their history stays',
      body: One,
    },
    async ({ body, workspaceId, principal, reply }) => {
      const source = await find(workspaceId, principal, body.source_id);
      await deleteCustomSource(database, workspaceId, source.sourceId);
      for (const channel of await channelsOf(airy, source)) await engine.channels.disconnect(workspaceId, channel.id);
      return reply.code(202).send();
    },
  );

  bySource(
    airy,
    'sources.channels.create',
    'Connect a channel of the source',
    NewChannel,
    { 201: ChannelAnswer },
    async (source, body, request, reply) => {
      const { workspaceId, sourceId, actionEndpoint, sandbox } = source;
      const given = body.metadata ?? {};
      const imageUrl = given.image_url ?? source.imageUrl;
      const channel = await engine.channels.connect({
        workspaceId,
        source: connector.source,
        input: {
          source_id: sourceId,
          source_channel_id: body.source_channel_id,
          ...(actionEndpoint ? { action_endpoint: actionEndpoint } : {}),
          secret: keyTextOf(request)!,
        },
        name: body.name,
        ...(typeof imageUrl === 'string' ? { imageUrl } : {}),
        metadata: { given },
        sandbox,
        existing: 'reuse',
      });
      return reply.code(201).send(channelView(channel));
    },
  );
  bySource(
    airy,
    'sources.channels.list',
    'The channels of the source',
    Type.Object({}),
    { 200: listAnswer(ChannelAnswer) },
    async (source) => ({
      data: (await channelsOf(airy, source)).map(channelView),
    }),
  );
  bySource(
    airy,
    'sources.channels.disconnect',
    'Disconnect a channel of the source',
    Type.Object({ channel_id: Id }),
    { 204: Nothing },
    async (source, body, _request, reply) => {
      const channel = await engine.channels.get(source.workspaceId, body.channel_id);
      if (channel.status === 'deleted') throw notFound('channel');
      if (!isOf(source, channel)) throw new PatchbayError('forbidden', 'the channel is of another source');
      await engine.channels.disconnect(source.workspaceId, channel.id);
      return reply.code(204).send();
    },
  );
  bySource(
    airy,
    'sources.webhook',
    'What the contacts of the source wrote',
    SourceBatch,
    { 200: Nothing },
    async (source, body, _request, reply) => {
      const channels = (await channelsOf(airy, source)).filter((channel) => isConnected(channel.status));
      await takeBatch(engine, source, channels, body);
      return reply.code(200).send();
    },
  );
}

/** A route that a source's own token opens, and no key. */
function bySource<Body extends TSchema>(
  airy: Airy,
  name: string,
  summary: string,
  body: Body,
  answers: Record<number, TSchema>,
  handler: (source: CustomSource, body: Static<Body>, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
): void {
  airy.scope.route({
    method: 'POST',
    url: `/${name}`,
    schema: {
      tags: ['Airy'],
      summary,
      operationId: operationId(name),
      body,
      security: [{ sourceToken: [] }],
      response: { ...answers, '4xx': ErrorMessage, 503: ErrorMessage },
    },
    onRequest: async (request, reply) => {
      const token = keyTextOf(request);
      const source = token === undefined ? undefined : await customSourceByToken(airy.engine.database, hashKey(token));
      if (!source) return reply.code(403).send({ message: 'only the token of a source opens this' });
      if (source.deletedAt) throw notFound('source');
      request.customSource = source;
    },
    handler: (request, reply) => handler(request.customSource, request.body as Static<Body>, request, reply),
  });
}

function sourceView({ sourceId, name, imageUrl, actionEndpoint }: CustomSource) {
  return { source_id: sourceId, name, image_url: imageUrl, action_endpoint: actionEndpoint };
}

async function channelsOf({ engine }: Airy, source: Pick<CustomSource, 'workspaceId' | 'sourceId'>): Promise<ChannelRow[]> {
  const all = await engine.channels.list(source.workspaceId, { sources: [connector.source] });
  return all.filter((channel) => isOf(source, channel));
}

function isOf(source: Pick<CustomSource, 'sourceId'>, channel: ChannelRow): boolean {
  return channel.source === connector.source && channel.settings.source_id === source.sourceId;
}
