/** Channels: document 003's two reads, and what people expect beside them (decisions B23). */
import Type, { type Static } from 'typebox';
import { capabilitiesOf } from '../../connectors/connector.ts';
import type { Engine } from '../../engine/engine.ts';
import { checkHealth } from '../../engine/health.ts';
import { type ChannelFilter, type ChannelRow, listChannels } from '../../store/channels.ts';
import type { Principal } from '../auth.ts';
import { channelFor, liveChannelFor } from './access.ts';
import { showChannel, showDetails } from './channel-view.ts';
import { changeChannel, connectChannel, prefixInput } from './channel-writes.ts';
import { page, placeOf, placeToken } from './paging.ts';
import { sourceOf } from './platforms.ts';
import { Channel, ChannelDetails, ChannelOptions, SetupRow, STATUSES, USE_CASE_TYPES } from './schemas/channel.ts';
import { FreeForm, ids, listAnswer, listOf, listQuery, NoContent, nullable, oneOf, Uuid } from './schemas/common.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Channels'];
const PlatformName = Type.String({ pattern: '^[A-Za-z0-9.-]+$', minLength: 3, maxLength: 60 });

const ChannelQuery = listQuery(
  {
    platform: listOf(PlatformName, { description: 'Platform ids or sources; repeat for several.' }),
    status: listOf(oneOf(STATUSES), { description: 'Deleted channels are listed only when asked for.' }),
    channelIds: listOf(Uuid),
    useCaseType: listOf(oneOf(USE_CASE_TYPES)),
    conferencial: Type.Optional(Type.Boolean({ description: 'No source of ours is.' })),
    onlyMyChannels: Type.Optional(Type.Boolean({ description: 'Those that the key may use.' })),
    resourceOwnerId: listOf(Uuid),
    resourceOwnerIdentifier: listOf(Type.String({ maxLength: 200 })),
    search: Type.Optional(Type.String({ maxLength: 200, description: 'Part of the name or of the id at the source.' })),
  },
  { maxLimit: 1000 },
);

export const ConnectBody = Type.Object(
  {
    source: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })),
    platformId: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    imageUrl: Type.Optional(Type.String({ maxLength: 2000, pattern: '^https?://' })),
    input: Type.Optional(FreeForm),
    metadata: Type.Optional(FreeForm),
    ...Type.Partial(ChannelOptions).properties,
  },
  { additionalProperties: false, examples: [{ source: 'chatplugin', name: 'Website', input: { name: 'website' } }] },
);

export const ChangeBody = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    imageUrl: Type.Optional(nullable(Type.String({ maxLength: 2000, pattern: '^https?://' }))),
    settings: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'The fields marked editable; the others stay.' })),
    input: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'New credentials, by the input schema.' })),
    credentials: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'The same as `input`.' })),
    status: Type.Optional(oneOf(['active', 'inactive'])),
    metadata: Type.Optional(FreeForm),
    ...Type.Partial(ChannelOptions).properties,
  },
  { additionalProperties: false, minProperties: 1, examples: [{ name: 'Website, English' }] },
);

export function channelRoutes(app: Routes, { engine }: SurfaceParts): void {
  reads(app, engine);
  writes(app, engine);
}

function reads(app: Routes, engine: Engine): void {
  app.get(
    '/channels',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags,
        operationId: 'listChannels',
        summary: 'The channels of the workspace, oldest first',
        params: ids(),
        querystring: ChannelQuery,
        response: { 200: listAnswer(Channel) },
      },
    },
    async (request) => pageOfChannels(engine, request.principal, request.query, (row) => showChannel(engine, row)),
  );
  app.get(
    '/channels/details',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags,
        operationId: 'listChannelDetails',
        summary: 'The same list, with what the control center shows',
        params: ids(),
        querystring: ChannelQuery,
        response: { 200: listAnswer(ChannelDetails) },
      },
    },
    async (request) => pageOfChannels(engine, request.principal, request.query, (row) => showDetails(engine, row)),
  );
  app.get(
    '/channels/:channelId',
    {
      config: { scope: 'channels:read' },
      schema: { tags, operationId: 'getChannel', summary: 'One channel', params: ids('channelId'), response: { 200: Channel } },
    },
    async (request) => showChannel(engine, await channelFor(engine, request.principal, request.params.channelId)),
  );
  app.get(
    '/channels/:channelId/details',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags,
        operationId: 'getChannelDetails',
        summary: 'One channel, with what the control center shows',
        params: ids('channelId'),
        response: { 200: ChannelDetails },
      },
    },
    async (request) => showDetails(engine, await channelFor(engine, request.principal, request.params.channelId)),
  );
  app.get(
    '/channels/:channelId/setup',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'getChannelSetup',
        summary: 'What has to be entered elsewhere, with the secrets that the channel shares with the far end',
        params: ids('channelId'),
        response: { 200: Type.Object({ results: Type.Array(SetupRow) }) },
      },
    },
    async (request, reply) => {
      const row = await liveChannelFor(engine, request.principal, request.params.channelId);
      const { setup } = engine.channels.connectorOf(row.source);
      reply.header('cache-control', 'no-store');
      return { results: setup?.(engine.channels.view(row), engine.config.providers) ?? [] };
    },
  );
  app.get(
    '/channels/:channelId/capabilities',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags,
        operationId: 'getChannelCapabilities',
        summary: 'What the channel carries: plain booleans and limits',
        params: ids('channelId'),
        response: { 200: FreeForm },
      },
    },
    async (request) => {
      const row = await channelFor(engine, request.principal, request.params.channelId);
      const connector = engine.channels.connectorOf(row.source);
      return { ...capabilitiesOf(connector, { ...row, credentials: {} }) };
    },
  );
}

function writes(app: Routes, engine: Engine): void {
  app.post(
    '/channels',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'connectChannel',
        summary: 'Connect an account; nothing is stored when its provider refuses',
        params: ids(),
        body: ConnectBody,
        response: { 201: Channel },
      },
    },
    async (request, reply) => {
      const row = await connectChannel(engine, request.principal, request.body);
      return reply.code(201).send(showChannel(engine, row));
    },
  );
  app.post(
    '/channels/explore',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'exploreChannels',
        summary: 'The accounts that could be connected, as the provider lists them',
        params: ids(),
        body: Type.Object(
          { source: Type.String({ minLength: 1, maxLength: 60 }), input: Type.Optional(FreeForm) },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            results: Type.Array(
              Type.Object({
                sourceChannelId: Type.String(),
                name: Type.String(),
                imageUrl: Type.Optional(Type.String()),
                input: Type.Optional(FreeForm),
                connected: Type.Boolean(),
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const { source, input = {} } = request.body;
      const { workspaceId, sandbox } = request.principal;
      const name = sourceOf(source, engine.registry.connectors);
      return { results: await prefixInput(() => engine.channels.explore(workspaceId, name, input, sandbox)) };
    },
  );
  app.patch(
    '/channels/:channelId',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'changeChannel',
        summary: 'Change a channel; what is not given stays',
        params: ids('channelId'),
        body: ChangeBody,
        response: { 200: Channel },
      },
    },
    async (request) => {
      const row = await liveChannelFor(engine, request.principal, request.params.channelId);
      return showChannel(engine, await changeChannel(engine, row, request.body));
    },
  );
  app.delete(
    '/channels/:channelId',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'deleteChannel',
        summary: 'Disconnect a channel and take it out of the lists; its history stays',
        params: ids('channelId'),
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const row = await liveChannelFor(engine, request.principal, request.params.channelId);
      await engine.channels.delete(row.workspaceId, row.id);
      return reply.code(204).send(null);
    },
  );
  app.post(
    '/channels/:channelId/health',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'checkChannelHealth',
        summary: 'Ask the provider now how the channel is doing',
        params: ids('channelId'),
        response: { 200: ChannelDetails },
      },
    },
    async (request) => {
      const row = await liveChannelFor(engine, request.principal, request.params.channelId);
      return showDetails(engine, await checkHealth(engine, row.workspaceId, row.id, { noteSilence: true }));
    },
  );
}

/** A page of the channels that the caller may see, each shown as the caller of this says. */
export async function pageOfChannels<T>(
  engine: Engine,
  principal: Principal,
  query: Static<typeof ChannelQuery>,
  show: (row: ChannelRow) => T,
) {
  const limit = query.limit ?? 10;
  const after = placeOf(query.pageToken);
  // Nobody owns channels here, and none is made for conferences: those filters leave nothing.
  if (query.conferencial || query.resourceOwnerId || query.resourceOwnerIdentifier) return { results: [] };
  const filter: ChannelFilter = {
    ...(query.platform ? { sources: query.platform.map((name) => sourceOf(name, engine.registry.connectors)) } : {}),
    ...(query.status ? { statuses: query.status } : {}),
    ...(query.channelIds ? { ids: query.channelIds } : {}),
    ...(query.useCaseType ? { useCaseTypes: query.useCaseType } : {}),
    ...(query.search ? { search: query.search } : {}),
    ...(principal.sandbox ? { sandbox: true } : {}),
    ...(after ? { after: { createdAt: after.at, id: after.id } } : {}),
    newestFirst: query.reverse ?? false,
    limit: limit + 1,
  };
  const rows = await listChannels(engine.database, principal.workspaceId, filter);
  const { rows: shown, ...next } = page(rows, limit, (row) => placeToken({ at: row.createdAt, id: row.id }));
  return { results: shown.map(show), ...next };
}
