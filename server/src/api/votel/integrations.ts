/** `/api/integrations`: provider accounts that channels and numbers use. Secrets are write-only. */
import Type from 'typebox';
import { changeAccount } from '../../engine/account-channels.ts';
import type { Engine } from '../../engine/engine.ts';
import { addIntegration, removeIntegration } from '../../engine/provider-accounts.ts';
import { invalid } from '../../model/errors.ts';
import { getIntegration, type Integration, listIntegrations } from '../../store/integrations.ts';
import { visibleTo } from '../access.ts';
import type { Principal } from '../auth.ts';
import { timeOf } from '../times.ts';
import type { TypedApp } from '../typed.ts';
import { found, Id, Metadata, Name, Page, pageOf, rangeOf, Search } from './shapes.ts';

const IntegrationType = Type.Union([Type.Literal('email'), Type.Literal('sms')]);
const Config = Type.Record(Type.String(), Type.Unknown());

/** Settings and secrets may come in one object or in two; the connector's form says which field is which. */
const accountFields = { config: Type.Optional(Config), credentials: Type.Optional(Config), metadata: Type.Optional(Metadata) };

export function registerIntegrations(app: TypedApp, engine: Engine): void {
  const { database } = engine;

  app.post(
    '/integrations',
    {
      schema: {
        tags: ['Votel'],
        summary: 'Add an integration',
        body: Type.Object({ name: Name, type: IntegrationType, provider: Type.Optional(Type.String({ maxLength: 40 })), ...accountFields }),
      },
    },
    async (request, reply) => {
      const { name, type, provider, config, credentials, metadata } = request.body;
      const { workspaceId, sandbox } = request.principal;
      const stored = await addIntegration(engine, {
        workspaceId,
        name,
        type,
        provider,
        config: { ...config, ...credentials },
        metadata: metadata ?? {},
        sandbox,
      });
      return reply.code(201).send(shown(stored));
    },
  );

  app.get(
    '/integrations',
    {
      schema: {
        tags: ['Votel'],
        summary: 'List integrations',
        querystring: Type.Object({ ...Page, type: Type.Optional(IntegrationType), search: Search }),
      },
    },
    async (request) => {
      const { query, principal } = request;
      const { rows, total } = await listIntegrations(database, principal.workspaceId, {
        ...rangeOf(query),
        ...visibleTo(principal),
        ...(query.type ? { type: query.type } : {}),
        ...(query.search ? { search: query.search } : {}),
      });
      return { integrations: rows.map(shown), ...pageOf(total, query) };
    },
  );

  app.get('/integrations/:id', { schema: { tags: ['Votel'], summary: 'Show an integration', params: Id } }, async (request) =>
    shown(await find(request.principal, request.params.id)),
  );

  app.put(
    '/integrations/:id',
    {
      schema: {
        tags: ['Votel'],
        summary: 'Change an integration',
        params: Id,
        body: Type.Object({
          name: Type.Optional(Name),
          ...accountFields,
          type: Type.Optional(Type.String()),
          provider: Type.Optional(Type.String()),
        }),
      },
    },
    async (request) => {
      const { name, config, credentials, metadata } = request.body;
      const row = await find(request.principal, request.params.id);
      for (const field of ['type', 'provider'] as const) {
        if (request.body[field] !== undefined && request.body[field] !== row[field]) throw invalid(field, 'cannot be changed');
      }
      const changed = await changeAccount(engine, row, {
        ...(name === undefined ? {} : { name }),
        ...(config || credentials ? { config: { ...config, ...credentials } } : {}),
        ...(metadata ? { metadata } : {}),
      });
      return shown(changed);
    },
  );

  app.delete('/integrations/:id', { schema: { tags: ['Votel'], summary: 'Delete an integration', params: Id } }, async (request, reply) => {
    const row = await find(request.principal, request.params.id);
    await removeIntegration(engine, row);
    return reply.code(204).send();
  });

  function find(principal: Principal, id: string): Promise<Integration> {
    return found('Integration', id, principal, (uuid) => getIntegration(database, principal.workspaceId, uuid));
  }
}

function shown(row: Integration) {
  return {
    id: row.id,
    tenant_id: row.workspaceId,
    name: row.name,
    type: row.type,
    provider: row.provider,
    config: row.settings,
    has_credentials: row.credentials !== null,
    metadata: row.metadata,
    created_at: timeOf(row.createdAt),
    updated_at: timeOf(row.updatedAt),
  };
}
