/** Email channels (000, "Email Channels"; decisions.md B4, B5). */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { makePrimary } from '../../engine/primary-mailbox.ts';
import { reconfigure, switchOff, switchOn } from '../../engine/reconnect.ts';
import { isConnected } from '../../model/channel.ts';
import { invalid, notFound, PatchbayError, ProviderError } from '../../model/errors.ts';
import { isAddress, normalAddress } from '../../model/mail-address.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { primaryMailboxes } from '../../store/mailboxes.ts';
import { maySee, visibleTo } from '../access.ts';
import type { Principal } from '../auth.ts';
import { timeOf } from '../times.ts';
import type { TypedApp } from '../typed.ts';
import { idOf, uuidFrom } from './ids.ts';
import { Id, Name, Page, pageOf } from './shapes.ts';

const ProviderConfig = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]);

export function registerEmailChannels(app: TypedApp, engine: Engine): void {
  const { channels, database } = engine;

  app.get(
    '/email/channels',
    { schema: { tags: ['Aurion'], summary: 'List mailboxes', querystring: Type.Object(Page) } },
    async ({ principal, query }) => {
      const { workspaceId } = principal;
      const rows = await channels.list(workspaceId, { sources: ['email'], ...visibleTo(principal) });
      const primary = await primaryMailboxes(database, workspaceId);
      const page = rows.slice(query.offset, query.offset + query.limit);
      return pageOf(
        page.map((row) => shown(row, primary)),
        rows.length,
        query,
      );
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
          email: Type.String({ maxLength: 320 }),
          provider: Type.Union([Type.Literal('aurion'), Type.Literal('microsoft'), Type.Literal('google'), Type.Literal('smtp')]),
          provider_config: Type.Optional(ProviderConfig),
        }),
      },
    },
    async (request, reply) => {
      const { name, email, provider, provider_config } = request.body;
      const { workspaceId, sandbox } = request.principal;
      if (!isAddress(normalAddress(email))) throw invalid('email', 'is not a mail address');
      const input = { ...provider_config, email, name, provider };
      const row = await blaming(() => channels.connect({ workspaceId, source: 'email', input, name, sandbox, existing: 'refuse' }));
      return reply.code(201).send(await show(row));
    },
  );

  app.get('/email/channels/:id', { schema: { tags: ['Aurion'], summary: 'Show a mailbox', params: Id } }, async (request) =>
    show(await find(request.principal, request.params.id)),
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
          is_primary: Type.Optional(Type.Boolean()),
          email: Type.Optional(Type.String()),
          provider: Type.Optional(Type.String()),
        }),
      },
    },
    async (request) => {
      const { name, provider_config, status, is_primary } = request.body;
      let row = await find(request.principal, request.params.id);
      refuseOtherIdentity(row, request.body);
      if (is_primary === false && (await primaryMailboxes(database, row.workspaceId)).has(row.id)) {
        throw invalid('is_primary', 'cannot be taken away: make another mailbox the primary one');
      }
      if (provider_config) row = await blaming(() => reconfigure(engine, row, provider_config));
      if (status === 'active') row = await blaming(() => switchOn(engine, row));
      if (status === 'inactive') row = await switchOff(engine, row);
      if (is_primary) await makePrimary(engine, row);
      if (name !== undefined) row = await channels.change(row.workspaceId, row.id, { name });
      return show(row);
    },
  );

  app.delete('/email/channels/:id', { schema: { tags: ['Aurion'], summary: 'Delete a mailbox', params: Id } }, async (request, reply) => {
    const { workspaceId, id } = await find(request.principal, request.params.id);
    const primary = await primaryMailboxes(database, workspaceId);
    if (primary.has(id)) throw new PatchbayError('conflict', 'The primary mailbox cannot be deleted');
    await channels.delete(workspaceId, id);
    return reply.code(204).send();
  });

  async function find(principal: Principal, id: string): Promise<ChannelRow> {
    const row = await channels.get(principal.workspaceId, uuidFrom('ec', id, 'email channel'));
    if (row.source !== 'email' || row.status === 'deleted' || !maySee(principal, row)) throw notFound('email channel');
    return row;
  }

  async function show(row: ChannelRow) {
    return shown(row, await primaryMailboxes(database, row.workspaceId));
  }
}

/** A client may send the whole object back; another address, or another provider, is another mailbox. */
function refuseOtherIdentity(row: ChannelRow, { email, provider }: { email?: string; provider?: string }): void {
  if (email !== undefined && normalAddress(email) !== row.sourceChannelId) throw invalid('email', 'cannot be changed');
  if (provider !== undefined && provider !== row.settings.provider) throw invalid('provider', 'cannot be changed');
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
    if (error instanceof PatchbayError && error.code === 'setting-missing') {
      const problems = [{ field: 'provider_config', message: error.message }];
      throw new PatchbayError('setting-missing', error.message, { problems, cause: error });
    }
    if (!(error instanceof ProviderError) || error.class === 'retry' || error.class === 'unknown-outcome') throw error;
    const problems = [{ field: 'provider_config', message: error.message }];
    throw new PatchbayError('invalid', error.message, { problems, cause: error });
  }
}

function shown(row: ChannelRow, primary: Set<string>) {
  const status = row.status === 'failed' || row.status === 'warning' ? 'error' : row.status === 'setting-up' ? 'pending' : row.status;
  return {
    id: idOf('ec', row.id),
    name: row.name,
    email: row.sourceChannelId,
    provider: row.settings.provider,
    status: isConnected(row.status) || row.status === 'setting-up' ? status : 'inactive',
    ...(row.statusReason ? { status_reason: row.statusReason } : {}),
    is_primary: primary.has(row.id),
    created_at: timeOf(row.createdAt),
  };
}
