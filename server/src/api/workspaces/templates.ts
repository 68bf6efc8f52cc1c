/** Templates that a provider approves: kept in step with it, made, changed and previewed here. */
import Type, { type Static } from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { createTemplate, deleteTemplate, editTemplate, syncTemplates } from '../../engine/templates.ts';
import { isConnected } from '../../model/channel.ts';
import { invalid, notFound, PatchbayError } from '../../model/errors.ts';
import { templateFields, templateText } from '../../model/template-fields.ts';
import { type ChannelRow, listChannels } from '../../store/channels.ts';
import { getTemplate, listTemplates, type ProviderTemplateRow, templateShape } from '../../store/provider-templates.ts';
import type { Principal } from '../auth.ts';
import { channelFor, liveChannelFor } from './access.ts';
import { readTemplate } from './bodies-template.ts';
import { page, wordsOf, wordsToken } from './paging.ts';
import { platformOf } from './platforms.ts';
import { STATUSES } from './schemas/channel.ts';
import { ids, iso, listAnswer, listQuery, NoContent, Uuid } from './schemas/common.ts';
import { ChangeTemplate, NewTemplate, ProviderTemplate, RenderTemplate, SyncCounts } from './schemas/template.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Templates'];

const TemplateQuery = listQuery({
  channelId: Type.Optional(Uuid),
  status: Type.Optional(Type.String({ maxLength: 60, description: 'In any case; templates that vanished are listed only as DELETED.' })),
  language: Type.Optional(Type.String({ maxLength: 20 })),
  search: Type.Optional(Type.String({ maxLength: 200, description: 'Part of the name.' })),
});

export function templateRoutes(app: Routes, { engine }: SurfaceParts): void {
  reads(app, engine);
  writes(app, engine);
}

function reads(app: Routes, engine: Engine): void {
  app.get(
    '/templates',
    {
      config: { scope: 'templates:read' },
      schema: {
        tags,
        operationId: 'listTemplates',
        summary: 'The templates of all accounts, by name',
        params: ids(),
        querystring: TemplateQuery,
        response: { 200: listAnswer(ProviderTemplate) },
      },
    },
    async (request) => pageOfTemplates(engine, request.principal, request.query),
  );
  app.get(
    '/templates/:templateId',
    {
      config: { scope: 'templates:read' },
      schema: {
        tags,
        operationId: 'getTemplate',
        summary: 'One template, with what changed about it',
        params: ids('templateId'),
        response: { 200: ProviderTemplate },
      },
    },
    async (request) => {
      const { row, channels } = await find(engine, request.principal, request.params.templateId);
      return show(row, channels);
    },
  );
  app.post(
    '/templates/:templateId/render',
    {
      config: { scope: 'templates:read' },
      schema: {
        tags,
        operationId: 'renderTemplate',
        summary: 'What the customer would read, and what is missing',
        params: ids('templateId'),
        body: RenderTemplate,
        response: { 200: Type.Object({ text: Type.String(), problems: Type.Array(Type.String()) }) },
      },
    },
    async (request) => {
      const { row } = await find(engine, request.principal, request.params.templateId);
      const operations = engine.channels.connectorOf(row.source).templates;
      if (!operations) throw new PatchbayError('not-supported', 'this source has no templates any more');
      const { name, language } = row;
      const content = readTemplate({ ...request.body, name, locale: language }, ({ mediaUrl }) => ({ url: mediaUrl }));
      const { text, problems } = operations.render(templateShape(row), content);
      return { text, problems };
    },
  );
}

function writes(app: Routes, engine: Engine): void {
  app.post(
    '/templates',
    {
      config: { scope: 'templates:write' },
      schema: {
        tags,
        operationId: 'createTemplate',
        summary: 'Submit a template to the provider for approval',
        params: ids(),
        body: NewTemplate,
        response: { 201: ProviderTemplate },
      },
    },
    async (request, reply) => {
      const { channelId, name, language, category } = request.body;
      const components = componentsOf(request.body);
      if (!components) throw invalid('body', 'body or components is required');
      const channel = await liveChannelFor(engine, request.principal, channelId);
      const row = await createTemplate(engine, channel, { name, language, category: category ?? 'UTILITY', components });
      return reply.code(201).send(show(row, [channel]));
    },
  );
  app.patch(
    '/templates/:templateId',
    {
      config: { scope: 'templates:write' },
      schema: {
        tags,
        operationId: 'changeTemplate',
        summary: 'Change a template at the provider; it is reviewed again',
        params: ids('templateId'),
        body: ChangeTemplate,
        response: { 200: ProviderTemplate },
      },
    },
    async (request) => {
      const { row, channels } = await find(engine, request.principal, request.params.templateId);
      const components = componentsOf(request.body);
      const { category } = request.body;
      const changed = await editTemplate(engine, connectedOne(channels), row, {
        ...(components ? { components } : {}),
        ...(category ? { category } : {}),
      });
      return show(changed, channels);
    },
  );
  app.delete(
    '/templates/:templateId',
    {
      config: { scope: 'templates:write' },
      schema: {
        tags,
        operationId: 'deleteTemplate',
        summary: 'Delete a template at the provider; it stays here, marked',
        params: ids('templateId'),
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const { row, channels } = await find(engine, request.principal, request.params.templateId);
      await deleteTemplate(engine, connectedOne(channels), row);
      return reply.code(204).send(null);
    },
  );
  app.post(
    '/channels/:channelId/templates/sync',
    {
      config: { scope: 'templates:write' },
      schema: {
        tags,
        operationId: 'syncTemplates',
        summary: "Read the account's templates anew from the provider",
        params: ids('channelId'),
        response: { 200: SyncCounts },
      },
    },
    async (request) => {
      const channel = await liveChannelFor(engine, request.principal, request.params.channelId);
      return syncTemplates(engine, channel);
    },
  );
}

async function pageOfTemplates(engine: Engine, principal: Principal, query: Static<typeof TemplateQuery>) {
  const { workspaceId } = principal;
  const limit = query.limit ?? 10;
  const after = wordsOf(query.pageToken, 3, true);
  const one = query.channelId ? await channelFor(engine, principal, query.channelId) : undefined;
  const channels = await templateChannels(engine, principal);
  const account = one && accountOf(engine, one);
  if (one && account === undefined) return { results: [] };
  const { templates } = await listTemplates(engine.database, workspaceId, {
    ...(one ? { source: one.source, account: account! } : {}),
    ...(principal.sandbox ? { accounts: channels.map((channel) => accountOf(engine, channel)!) } : {}),
    ...(query.status ? { status: query.status } : {}),
    ...(query.language ? { language: query.language } : {}),
    ...(query.search ? { search: query.search } : {}),
    ...(after ? { after: { name: after[0]!, language: after[1]!, id: after[2]! } } : {}),
    backwards: query.reverse ?? false,
    limit: limit + 1,
    offset: 0,
  });
  const { rows, ...next } = page(templates, limit, (row) => wordsToken([row.name, row.language, row.id]));
  return { results: rows.map((row) => show(row, sharing(engine, channels, row))), ...next };
}

/** The channels whose accounts have templates, as far as the caller may see them. */
async function templateChannels(engine: Engine, principal: Principal): Promise<ChannelRow[]> {
  const sources = engine.registry.connectors.filter((connector) => connector.templates).map((connector) => connector.source);
  const statuses = STATUSES.filter((status) => status !== 'deleted');
  return listChannels(engine.database, principal.workspaceId, { sources, statuses, ...(principal.sandbox ? { sandbox: true } : {}) });
}

function accountOf(engine: Engine, channel: ChannelRow): string | undefined {
  const { id, workspaceId, sourceChannelId, name, sandbox, settings, details } = channel;
  const view = { id, workspaceId, sourceChannelId, name, sandbox, settings, details, credentials: {} };
  return engine.channels.connectorOf(channel.source).templates?.account(view);
}

function sharing(engine: Engine, channels: ChannelRow[], row: ProviderTemplateRow): ChannelRow[] {
  return channels.filter((channel) => channel.source === row.source && accountOf(engine, channel) === row.account);
}

async function find(engine: Engine, principal: Principal, id: string): Promise<{ row: ProviderTemplateRow; channels: ChannelRow[] }> {
  const row = await getTemplate(engine.database, principal.workspaceId, id);
  const channels = row ? sharing(engine, await templateChannels(engine, principal), row) : [];
  if (!row || (principal.sandbox && channels.length === 0)) throw notFound('template');
  return { row, channels };
}

/** Through which the provider is called. */
function connectedOne(channels: ChannelRow[]): ChannelRow {
  const channel = channels.find(({ status }) => isConnected(status));
  if (!channel) throw new PatchbayError('channel-inactive', 'no connected channel has the account of this template');
  return channel;
}

/** The components as given, or made of plain words. */
function componentsOf(body: Static<typeof ChangeTemplate>): unknown[] | undefined {
  if (body.components) return body.components;
  if (body.body === undefined) return undefined;
  return [
    ...(body.header ? [{ type: 'HEADER', format: 'TEXT', text: body.header }] : []),
    { type: 'BODY', text: body.body },
    ...(body.footer ? [{ type: 'FOOTER', text: body.footer }] : []),
  ];
}

function show(row: ProviderTemplateRow, channels: ChannelRow[]): Static<typeof ProviderTemplate> {
  const { id, source, account, name, language, status, category, quality, rejectedReason, components, history } = row;
  return {
    id,
    source,
    platformId: platformOf(source),
    account,
    channelIds: channels.map((channel) => channel.id),
    name,
    language,
    status,
    category,
    quality,
    rejectedReason,
    body: templateText(components),
    fields: templateFields(components),
    components: components as Record<string, unknown>[],
    history: history.filter(({ from, to }) => from !== to).map((change) => ({ ...change })),
    syncedAt: iso(row.syncedAt),
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}
