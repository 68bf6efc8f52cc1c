/** Provider accounts that channels and phone numbers share. Their secrets go in and never come out. */
import Type, { type Static } from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { addIntegration, changeIntegration, removeIntegration } from '../../engine/provider-accounts.ts';
import { notFound } from '../../model/errors.ts';
import { getIntegration, listIntegrations, type Integration as Row } from '../../store/integrations.ts';
import type { Principal } from '../auth.ts';
import { FreeForm, ids, iso, NoContent, oneOf, Timestamp, Uuid } from './schemas/common.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Provider accounts'];
/** A workspace has a handful of them: one page holds all. */
const MOST = 1_000;
const TYPES = ['email', 'sms'] as const;
const name = Type.String({ minLength: 1, maxLength: 300 });
const config = Type.Record(Type.String(), Type.Unknown(), {
  description: "Settings and secrets by the names of the source's own form, such as `account_sid`.",
});

const Integration = Type.Object(
  {
    id: Uuid,
    name: Type.String(),
    type: oneOf(TYPES),
    provider: Type.String(),
    settings: FreeForm,
    hasCredentials: Type.Boolean(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Integration' },
);
const NewIntegration = Type.Object(
  { name, type: oneOf(TYPES), provider: Type.Optional(Type.String({ maxLength: 40 })), config: Type.Optional(config) },
  { additionalProperties: false, examples: [{ name: 'Twilio', type: 'sms', config: { account_sid: 'AC…', auth_token: '…' } }] },
);
const IntegrationChange = Type.Object({ name: Type.Optional(name), config: Type.Optional(config) }, { additionalProperties: false });

export function integrationRoutes(app: Routes, { engine }: SurfaceParts): void {
  const read = { config: { scope: 'channels:read' } } as const;
  const write = { config: { scope: 'channels:write' } } as const;
  const params = ids('integrationId');

  app.get(
    '/integrations',
    {
      ...read,
      schema: {
        tags,
        operationId: 'listIntegrations',
        summary: 'The provider accounts, newest first',
        params: ids(),
        querystring: Type.Object({ type: Type.Optional(oneOf(TYPES)) }),
        response: { 200: Type.Object({ results: Type.Array(Integration) }) },
      },
    },
    async ({ principal, query }) => {
      const { workspaceId, sandbox } = principal;
      const filter = { ...query, ...(sandbox ? { sandbox } : {}) };
      const { rows } = await listIntegrations(engine.database, workspaceId, { ...filter, limit: MOST, offset: 0 });
      return { results: rows.map(show) };
    },
  );
  app.post(
    '/integrations',
    {
      ...write,
      schema: {
        tags,
        operationId: 'addIntegration',
        summary: 'Add a provider account; its keys are tried first',
        params: ids(),
        body: NewIntegration,
        response: { 201: Integration },
      },
    },
    async ({ principal, body }, reply) => {
      const added = await addIntegration(engine, {
        workspaceId: principal.workspaceId,
        name: body.name,
        type: body.type,
        provider: body.provider,
        config: body.config ?? {},
        metadata: {},
        sandbox: principal.sandbox,
      });
      return reply.code(201).send(show(added));
    },
  );
  app.patch(
    '/integrations/:integrationId',
    {
      ...write,
      schema: {
        tags,
        operationId: 'changeIntegration',
        summary: 'Rename a provider account or give it new keys; its channels go on with them',
        params,
        body: IntegrationChange,
        response: { 200: Integration },
      },
    },
    async ({ principal, params: { integrationId }, body }) =>
      show(await changeIntegration(engine, await integrationFor(engine, principal, integrationId), body)),
  );
  app.delete(
    '/integrations/:integrationId',
    {
      ...write,
      schema: { tags, operationId: 'deleteIntegration', summary: 'Remove a provider account', params, response: { 204: NoContent } },
    },
    async ({ principal, params: { integrationId } }, reply) => {
      const row = await integrationFor(engine, principal, integrationId);
      await removeIntegration(engine, row);
      return reply.code(204).send(null);
    },
  );
}

/** One provider account; test keys see their own only. Throws `not-found`. */
export async function integrationFor(engine: Engine, principal: Principal, id: string): Promise<Row> {
  const row = await getIntegration(engine.database, principal.workspaceId, id);
  if (!row || (principal.sandbox && !row.sandbox)) throw notFound('provider account');
  return row;
}

function show({ id, name: title, type, provider, settings, credentials, createdAt, updatedAt }: Row): Static<typeof Integration> {
  return {
    id,
    name: title,
    type,
    provider,
    settings,
    hasCredentials: credentials !== null,
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  };
}
