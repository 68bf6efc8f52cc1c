/** Email channels (000, "Email Channels"; decisions.md B4, B5). */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { isConnected } from '../../model/channel.ts';
import { notFound, PatchbayError, ProviderError } from '../../model/errors.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { idOf, timeOf, uuidFrom } from './ids.ts';
import { type AurionApp, Page, pageOf } from './shapes.ts';

const Id = Type.Object({ id: Type.String() });
const Name = Type.String({ minLength: 1, maxLength: 200 });
const ProviderConfig = Type.Record(Type.String(), Type.Unknown());

export function registerEmailChannels(app: AurionApp, engine: Engine): void {
  const { channels } = engine;

  app.get(
    '/email/channels',
    { schema: { tags: ['Aurion'], summary: 'List mailboxes', querystring: Type.Object(Page) } },
    async (request) => {
      const rows = await channels.list(request.principal.workspaceId, { sources: ['email'] });
      const { limit, offset } = request.query;
      return pageOf(rows.slice(offset, offset + limit).map(shown), rows.length, request.query);
    },
  );

  app.post(
    '/email/channels',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Connect a mailbox',
        body: Type.Object({
          name: Name,
          email: Type.String({ pattern: '^[^\\s@]+@[^\\s@]+$', maxLength: 320 }),
          provider: Type.Union([Type.Literal('aurion'), Type.Literal('microsoft'), Type.Literal('google'), Type.Literal('smtp')]),
          provider_config: Type.Optional(ProviderConfig),
        }),
      },
    },
    async (request, reply) => {
      const { name, email, provider, provider_config } = request.body;
      const { principal } = request;
      const row = await blaming(() =>
        channels.connect({
          workspaceId: principal.workspaceId,
          source: 'email',
          input: { ...provider_config, email, name, provider },
          name,
          sandbox: principal.sandbox,
          existing: 'refuse',
        }),
      );
      return reply.code(201).send(shown(await firstBecomesPrimary(row)));
    },
  );

  app.get('/email/channels/:id', { schema: { tags: ['Aurion'], summary: 'Show a mailbox', params: Id } }, async (request) =>
    shown(await find(request.principal.workspaceId, request.params.id)),
  );

  app.patch(
    '/email/channels/:id',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Change a mailbox',
        params: Id,
        body: Type.Object({
          name: Type.Optional(Name),
          provider_config: Type.Optional(ProviderConfig),
          status: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('inactive')])),
          is_primary: Type.Optional(Type.Literal(true)),
        }),
      },
    },
    async (request) => {
      const { body, principal } = request;
      let row = await find(principal.workspaceId, request.params.id);
      if (body.provider_config) row = await reconfigure(row, body.provider_config);
      if (body.is_primary) await makePrimary(row);
      const switched = body.status === undefined || (body.status === 'inactive') === (row.status === 'inactive');
      if (body.name !== undefined || !switched) {
        row = await channels.change(row.workspaceId, row.id, {
          ...(body.name === undefined ? {} : { name: body.name }),
          ...(switched ? {} : { status: body.status!, statusReason: body.status === 'inactive' ? 'switched off' : null }),
        });
      }
      return shown(row);
    },
  );

  app.delete('/email/channels/:id', { schema: { tags: ['Aurion'], summary: 'Delete a mailbox', params: Id } }, async (request, reply) => {
    const row = await find(request.principal.workspaceId, request.params.id);
    if (row.metadata.is_primary === true) throw new PatchbayError('conflict', 'The primary mailbox cannot be deleted');
    await channels.delete(row.workspaceId, row.id);
    return reply.code(204).send();
  });

  async function find(workspaceId: string, id: string): Promise<ChannelRow> {
    const row = await channels.get(workspaceId, uuidFrom('ec', id, 'email channel'));
    if (row.source !== 'email' || row.status === 'deleted') throw notFound('email channel');
    return row;
  }

  /** New settings and secrets are laid over the old ones and tried; what is not given stays. */
  async function reconfigure(row: ChannelRow, given: Record<string, unknown>): Promise<ChannelRow> {
    const { workspaceId, sandbox, name, sourceChannelId } = row;
    const { settings, credentials } = channels.view(row);
    const input = { ...settings, ...credentials, ...given, email: sourceChannelId, name };
    return blaming(() => channels.connect({ workspaceId, source: 'email', input, name, sandbox, existing: 'reuse' }));
  }

  async function firstBecomesPrimary(row: ChannelRow): Promise<ChannelRow> {
    const others = await channels.list(row.workspaceId, { sources: ['email'] });
    if (others.some((other) => other.metadata.is_primary === true)) return row;
    return channels.change(row.workspaceId, row.id, { metadata: { is_primary: true } });
  }

  async function makePrimary(row: ChannelRow): Promise<void> {
    for (const other of await channels.list(row.workspaceId, { sources: ['email'] })) {
      const primary = other.id === row.id;
      if ((other.metadata.is_primary === true) !== primary) {
        await channels.change(other.workspaceId, other.id, { metadata: { is_primary: primary } });
      }
    }
  }
}

/** A provider that refuses what it was given refuses `provider_config`. */
async function blaming<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PatchbayError && error.code === 'invalid') {
      const problems = error.problems.map(({ field, message }) => ({
        field: ['email', 'name', 'provider'].includes(field) ? field : `provider_config.${field}`,
        message,
      }));
      throw new PatchbayError('invalid', error.message, { problems, cause: error });
    }
    if (!(error instanceof ProviderError) || error.class === 'retry' || error.class === 'unknown-outcome') throw error;
    const problems = [{ field: 'provider_config', message: error.message }];
    throw new PatchbayError('invalid', error.message, { problems, cause: error });
  }
}

function shown(row: ChannelRow) {
  const status = row.status === 'failed' || row.status === 'warning' ? 'error' : row.status === 'setting-up' ? 'pending' : row.status;
  return {
    id: idOf('ec', row.id),
    name: row.name,
    email: row.sourceChannelId,
    provider: row.settings.provider,
    status: isConnected(row.status) || row.status === 'setting-up' ? status : 'inactive',
    ...(row.statusReason ? { status_reason: row.statusReason } : {}),
    is_primary: row.metadata.is_primary === true,
    created_at: timeOf(row.createdAt),
  };
}
