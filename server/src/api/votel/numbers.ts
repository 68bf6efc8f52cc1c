/** `/api/phone-numbers`: taken over, searched, bought and given back; one that can do SMS has its channel (decisions.md B13). */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { addNumber, importNumbers, type NumberAccount, offeredNumbers, purchaseNumber, removeNumber } from '../../engine/phone-numbers.ts';
import { invalid, notFound } from '../../model/errors.ts';
import { getIntegration } from '../../store/integrations.ts';
import { changePhoneNumber, getPhoneNumber, listPhoneNumbers, type PhoneNumberRow } from '../../store/phone-numbers.ts';
import { visibleTo } from '../access.ts';
import type { Principal } from '../auth.ts';
import { timeOf } from '../times.ts';
import type { TypedApp } from '../typed.ts';
import { found, Id, Metadata, Name, Page, pageOf, Ref, rangeOf, Search } from './shapes.ts';

const Numeral = Type.String({ minLength: 1, maxLength: 40 });
const Abilities = Type.Object({
  sms: Type.Optional(Type.Boolean()),
  mms: Type.Optional(Type.Boolean()),
  voice: Type.Optional(Type.Boolean()),
});
const NewNumber = Type.Object({
  phone_number: Numeral,
  integration_id: Type.Optional(Ref),
  name: Type.Optional(Name),
  capabilities: Type.Optional(Abilities),
  metadata: Type.Optional(Metadata),
});

export function registerNumbers(app: TypedApp, engine: Engine): void {
  const { database } = engine;

  app.post('/phone-numbers', { schema: { tags: ['Votel'], summary: 'Add a phone number', body: NewNumber } }, async (request, reply) => {
    const account = await accountOf(request.principal, request.body.integration_id);
    const { phone_number, name, capabilities, metadata } = request.body;
    return reply.code(201).send(shown(await addNumber(engine, account, { phoneNumber: phone_number, name, capabilities, metadata })));
  });

  app.post(
    '/phone-numbers/purchase',
    { schema: { tags: ['Votel'], summary: 'Buy a phone number', body: NewNumber } },
    async (request, reply) => {
      const account = await accountOf(request.principal, request.body.integration_id);
      const { phone_number, name, metadata } = request.body;
      return reply.code(201).send(shown(await purchaseNumber(engine, account, { phoneNumber: phone_number, name, metadata })));
    },
  );

  app.post(
    '/phone-numbers/import',
    {
      schema: {
        tags: ['Votel'],
        summary: "Take over the account's phone numbers",
        body: Type.Object({ integration_id: Type.Optional(Ref) }),
      },
    },
    async (request, reply) => {
      const account = await accountOf(request.principal, request.body.integration_id);
      return reply.code(201).send({ phone_numbers: (await importNumbers(engine, account)).map(shown) });
    },
  );

  app.get(
    '/phone-numbers/search',
    {
      schema: {
        tags: ['Votel'],
        summary: 'Search phone numbers that can be bought',
        querystring: Type.Object({
          integration_id: Type.Optional(Ref),
          country: Type.String({ pattern: '^[A-Za-z]{2}$', default: 'US' }),
          area_code: Type.Optional(Type.String({ pattern: '^[0-9]{2,5}$' })),
          contains: Type.Optional(Type.String({ pattern: '^[0-9A-Za-z*+]{2,20}$' })),
          limit: Type.Integer({ minimum: 1, maximum: 50, default: 20 }),
        }),
      },
    },
    async (request) => {
      const { integration_id, country, area_code, contains, limit } = request.query;
      const offered = await offeredNumbers(engine, await accountOf(request.principal, integration_id), {
        country: country.toUpperCase(),
        ...(area_code ? { areaCode: area_code } : {}),
        ...(contains ? { contains } : {}),
        limit,
      });
      return { phone_numbers: offered.map(({ phoneNumber, ...number }) => ({ phone_number: phoneNumber, ...number })) };
    },
  );

  app.get(
    '/phone-numbers',
    {
      schema: {
        tags: ['Votel'],
        summary: 'List phone numbers',
        querystring: Type.Object({ ...Page, search: Search }),
      },
    },
    async (request) => {
      const { query, principal } = request;
      const { rows, total } = await listPhoneNumbers(database, principal.workspaceId, {
        ...rangeOf(query),
        ...visibleTo(principal),
        ...(query.search ? { search: query.search } : {}),
      });
      return { phone_numbers: rows.map(shown), ...pageOf(total, query) };
    },
  );

  app.get('/phone-numbers/:id', { schema: { tags: ['Votel'], summary: 'Show a phone number', params: Id } }, async (request) =>
    shown(await find(request.principal, request.params.id)),
  );

  app.put(
    '/phone-numbers/:id',
    {
      schema: {
        tags: ['Votel'],
        summary: 'Rename a phone number',
        params: Id,
        body: Type.Object({ name: Type.Optional(Name), metadata: Type.Optional(Metadata) }),
      },
    },
    async (request) => {
      const row = await find(request.principal, request.params.id);
      const changed = await changePhoneNumber(database, row.workspaceId, row.id, request.body);
      if (!changed) throw notFound('Phone number');
      return shown(changed);
    },
  );

  app.delete(
    '/phone-numbers/:id',
    {
      schema: {
        tags: ['Votel'],
        summary: 'Delete a phone number',
        params: Id,
        querystring: Type.Object({ release: Type.Optional(Type.Boolean()) }),
      },
    },
    async (request, reply) => {
      const row = await find(request.principal, request.params.id);
      const account = await accountOf(request.principal, row.integrationId ?? undefined);
      await removeNumber(engine, account, row, request.query.release ?? false);
      return reply.code(204).send();
    },
  );

  function find(principal: Principal, id: string): Promise<PhoneNumberRow> {
    return found('Phone number', id, principal, (uuid) => getPhoneNumber(database, principal.workspaceId, uuid));
  }

  async function accountOf(principal: Principal, id: string | undefined): Promise<NumberAccount> {
    const { workspaceId, sandbox } = principal;
    const integration =
      id === undefined ? undefined : await found('Integration', id, principal, (uuid) => getIntegration(database, workspaceId, uuid));
    if (integration && integration.type !== 'sms') throw invalid('integration_id', `is an integration for ${integration.type}`);
    return { workspaceId, integration, sandbox };
  }
}

function shown(row: PhoneNumberRow) {
  return {
    id: row.id,
    tenant_id: row.workspaceId,
    phone_number: row.phoneNumber,
    name: row.name,
    integration_id: row.integrationId,
    capabilities: row.capabilities,
    status: 'active',
    metadata: row.metadata,
    created_at: timeOf(row.createdAt),
    updated_at: timeOf(row.updatedAt),
  };
}
