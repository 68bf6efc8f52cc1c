/**
 * Connectors, by which document 003's maker creates, changes and deletes channels (decisions B23): installing one makes a
 * channel. Here each channel is one connector, so this is another way to write what `/channels` writes.
 */
import type { Static } from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { notFound } from '../../model/errors.ts';
import { type ChannelRow, listChannels } from '../../store/channels.ts';
import type { Principal } from '../auth.ts';
import { connectorIdOf, showChannel } from './channel-view.ts';
import { changeChannel, connectChannel } from './channel-writes.ts';
import { pageOfChannels } from './channels.ts';
import { platformOf, sourceOf } from './platforms.ts';
import { ids, iso, listAnswer, listOf, listQuery, NoContent } from './schemas/common.ts';
import { ChangeConnector, Connector, CreateConnector, TemplateRef } from './schemas/connector.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Connectors'];

export function connectorRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.post(
    '/connectors',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'createConnector',
        summary: 'Install a connector, which makes its channel; nothing is stored when the provider refuses',
        description: 'The catalog says which `arguments` a source wants; secrets may be among `securityArguments`.',
        params: ids(),
        body: CreateConnector,
        response: { 201: Connector },
      },
    },
    async (request, reply) => {
      const { name, connectorTemplateRef, arguments: given = {}, securityArguments = {} } = request.body;
      const { useCaseId, channelMessageType, ...input } = given;
      const row = await connectChannel(engine, request.principal, {
        source: sourceOfTemplate(engine, connectorTemplateRef),
        name,
        input: { ...input, ...securityArguments },
        ...(useCaseId === undefined ? {} : { useCaseId }),
        ...(channelMessageType === undefined ? {} : { channelMessageType }),
      });
      return reply.code(201).send(show(engine, row));
    },
  );
  app.get(
    '/connectors',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags,
        operationId: 'listConnectors',
        summary: 'The connectors of the workspace, oldest first',
        params: ids(),
        querystring: listQuery({ templateRef: listOf(TemplateRef) }),
        response: { 200: listAnswer(Connector) },
      },
    },
    async (request) => {
      const { templateRef, limit, pageToken, reverse } = request.query;
      const platform = templateRef?.map((ref) => sourceOfTemplate(engine, ref));
      const wanted = { limit, pageToken, reverse, platform };
      return pageOfChannels(engine, request.principal, wanted, (row) => show(engine, row));
    },
  );
  app.get(
    '/connectors/:connectorId',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags,
        operationId: 'getConnector',
        summary: 'One connector',
        params: ids('connectorId'),
        response: { 200: Connector },
      },
    },
    async (request) => show(engine, await channelOf(engine, request.principal, request.params.connectorId)),
  );
  app.patch(
    '/connectors/:connectorId',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'changeConnector',
        summary: 'Change a connector; what is not given stays',
        params: ids('connectorId'),
        body: ChangeConnector,
        response: { 200: Connector },
      },
    },
    async (request) => {
      const row = await channelOf(engine, request.principal, request.params.connectorId);
      const { name, arguments: given, securityArguments } = request.body;
      const input = given || securityArguments ? { ...given, ...securityArguments } : undefined;
      return show(engine, await changeChannel(engine, row, { ...(name ? { name } : {}), ...(input ? { input } : {}) }));
    },
  );
  app.delete(
    '/connectors/:connectorId',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'deleteConnector',
        summary: 'Uninstall a connector, which deletes its channel; the history stays',
        params: ids('connectorId'),
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const row = await channelOf(engine, request.principal, request.params.connectorId);
      await engine.channels.delete(row.workspaceId, row.id);
      return reply.code(204).send(null);
    },
  );
}

/** `whatsapp:1`, `sms-messagebird:1`: a platform, whoever carries it, and a version. */
function sourceOfTemplate(engine: Engine, ref: string): string {
  const slug = ref.replace(/:\d+$/, '').replace(/-messagebird$/, '');
  return sourceOf(slug, engine.registry.connectors);
}

/** A connector's id follows from its channel's, and not the other way round. */
async function channelOf(engine: Engine, { workspaceId, sandbox }: Principal, connectorId: string): Promise<ChannelRow> {
  const wanted = connectorId.toLowerCase();
  const rows = await listChannels(engine.database, workspaceId, sandbox ? { sandbox } : {});
  const row = rows.find(({ id }) => connectorIdOf(id) === wanted);
  if (!row) throw notFound('connector');
  return row;
}

function show(engine: Engine, row: ChannelRow): Static<typeof Connector> {
  const slug = platformOf(row.source);
  const { settings, connectionParams, status } = showChannel(engine, row);
  return {
    id: connectorIdOf(row.id),
    workspaceId: row.workspaceId,
    routingKey: row.sourceChannelId,
    name: row.name,
    region: null,
    description: engine.channels.connectorOf(row.source).description,
    status,
    arguments: Object.fromEntries([...settings, ...connectionParams].map(({ key, value }) => [key, value])),
    channel: { channelId: row.id, platform: slug },
    connectorTemplateSlug: slug,
    connectorTemplateRef: `${slug}:1`,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}
