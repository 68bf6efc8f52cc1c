/** Phone numbers: taken over from a provider's account, searched, bought and given back; one that can do SMS has its channel. */
import Type, { type Static } from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { addNumber, importNumbers, type NumberAccount, offeredNumbers, purchaseNumber, removeNumber } from '../../engine/phone-numbers.ts';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { listChannels } from '../../store/channels.ts';
import { getPhoneNumber, listPhoneNumbers, type PhoneNumberRow } from '../../store/phone-numbers.ts';
import { listVotelChannels } from '../../store/votel-channels.ts';
import type { Principal } from '../auth.ts';
import { integrationFor } from './integrations.ts';
import { ids, iso, NoContent, nullable, Timestamp, Uuid } from './schemas/common.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Phone numbers'];
/** More numbers than one workspace has. */
const MOST = 1_000;

const Capabilities = Type.Object({ sms: Type.Boolean(), mms: Type.Boolean(), voice: Type.Boolean() });
const PhoneNumber = Type.Object(
  {
    id: Uuid,
    phoneNumber: Type.String(),
    name: nullable(Type.String()),
    integrationId: nullable(Uuid),
    capabilities: Capabilities,
    channelId: nullable(Type.String({ format: 'uuid', description: 'The SMS channel that the number made.' })),
    releasable: Type.Boolean({ description: 'It was taken over from the provider, and can be given back.' }),
    createdAt: Timestamp,
  },
  { title: 'PhoneNumber' },
);
const OfferedNumber = Type.Object({
  phoneNumber: Type.String(),
  locality: nullable(Type.String()),
  region: nullable(Type.String()),
  country: nullable(Type.String()),
  capabilities: Capabilities,
});
const AccountChoice = {
  integrationId: Type.Optional(
    Type.String({ format: 'uuid', description: "The provider account; the installation's own where none is given." }),
  ),
};
const NewNumber = Type.Object(
  {
    phoneNumber: Type.String({ minLength: 1, maxLength: 40 }),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 300 })),
    ...AccountChoice,
  },
  { additionalProperties: false, examples: [{ phoneNumber: '+15550001111' }] },
);

/** A number and the channel that it made. */
interface Seen {
  row: PhoneNumberRow;
  channel: { id: string; sandbox: boolean } | undefined;
}

export function phoneNumberRoutes(app: Routes, { engine }: SurfaceParts): void {
  const read = { config: { scope: 'channels:read' } } as const;
  const write = { config: { scope: 'channels:write' } } as const;
  const params = ids('phoneNumberId');

  app.get(
    '/phone-numbers',
    {
      ...read,
      schema: {
        tags,
        operationId: 'listPhoneNumbers',
        summary: 'The phone numbers, newest first',
        params: ids(),
        querystring: Type.Object({ search: Type.Optional(Type.String({ maxLength: 300 })) }),
        response: { 200: Type.Object({ results: Type.Array(PhoneNumber) }) },
      },
    },
    async ({ principal, query }) => {
      const { rows } = await listPhoneNumbers(engine.database, principal.workspaceId, { ...query, limit: MOST, offset: 0 });
      return { results: (await withChannels(engine, principal, rows)).map(show) };
    },
  );
  app.get(
    '/phone-numbers/offers',
    {
      ...read,
      schema: {
        tags,
        operationId: 'searchPhoneNumbers',
        summary: 'Numbers with SMS that could be bought',
        params: ids(),
        querystring: Type.Object({
          country: Type.Optional(Type.String({ pattern: '^[A-Za-z]{2}$', default: 'US' })),
          areaCode: Type.Optional(Type.String({ pattern: '^[0-9]{2,5}$' })),
          contains: Type.Optional(Type.String({ pattern: '^[0-9A-Za-z*+]{2,20}$' })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, default: 20 })),
          ...AccountChoice,
        }),
        response: { 200: Type.Object({ results: Type.Array(OfferedNumber) }) },
      },
    },
    async ({ principal, query: { country = 'US', areaCode, contains, limit = 20, integrationId } }) => ({
      results: await offeredNumbers(engine, await accountFor(engine, principal, integrationId), {
        country: country.toUpperCase(),
        ...(areaCode ? { areaCode } : {}),
        ...(contains ? { contains } : {}),
        limit,
      }),
    }),
  );
  app.post(
    '/phone-numbers',
    {
      ...write,
      schema: {
        tags,
        operationId: 'addPhoneNumber',
        summary: 'Take up one number',
        params: ids(),
        body: NewNumber,
        response: { 201: PhoneNumber },
      },
    },
    async ({ principal, body: { integrationId, ...number } }, reply) => {
      const account = await accountFor(engine, principal, integrationId);
      const added = await inOurWords(addNumber(engine, account, number));
      return reply.code(201).send(await shown(engine, principal, added));
    },
  );
  app.post(
    '/phone-numbers/purchase',
    {
      ...write,
      schema: {
        tags,
        operationId: 'buyPhoneNumber',
        summary: 'Buy a number in the provider account and take it up',
        params: ids(),
        body: NewNumber,
        response: { 201: PhoneNumber },
      },
    },
    async ({ principal, body: { integrationId, ...number } }, reply) => {
      const account = await accountFor(engine, principal, integrationId);
      const bought = await inOurWords(purchaseNumber(engine, account, number));
      return reply.code(201).send(await shown(engine, principal, bought));
    },
  );
  app.post(
    '/phone-numbers/import',
    {
      ...write,
      schema: {
        tags,
        operationId: 'importPhoneNumbers',
        summary: 'Take up every number of the provider account that is not here yet',
        params: ids(),
        body: Type.Object(AccountChoice, { additionalProperties: false }),
        response: { 201: Type.Object({ results: Type.Array(PhoneNumber) }) },
      },
    },
    async ({ principal, body: { integrationId } }, reply) => {
      const rows = await importNumbers(engine, await accountFor(engine, principal, integrationId));
      return reply.code(201).send({ results: (await withChannels(engine, principal, rows)).map(show) });
    },
  );
  app.delete(
    '/phone-numbers/:phoneNumberId',
    {
      ...write,
      schema: {
        tags,
        operationId: 'removePhoneNumber',
        summary: 'Forget a number and end its channel; with `release` it is given back to the provider too',
        params,
        querystring: Type.Object({ release: Type.Optional(Type.Boolean()) }),
        response: { 204: NoContent },
      },
    },
    async ({ principal, params: { phoneNumberId }, query: { release = false } }, reply) => {
      const row = await getPhoneNumber(engine.database, principal.workspaceId, phoneNumberId);
      const [seen] = row ? await withChannels(engine, principal, [row]) : [];
      if (!seen) throw notFound('phone number');
      const account = await accountFor(engine, principal, seen.row.integrationId ?? undefined);
      const { sandbox } = seen.row;
      await removeNumber(engine, { ...account, sandbox }, seen.row, release);
      return reply.code(204).send(null);
    },
  );
}

/** The engine calls the field as the Votel surface does. */
async function inOurWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof PatchbayError) || error.code !== 'invalid') throw error;
    const problems = error.problems.map(({ field, message }) => ({ field: field === 'phone_number' ? 'phoneNumber' : field, message }));
    throw new PatchbayError('invalid', error.message, { problems, cause: error });
  }
}

async function accountFor(engine: Engine, principal: Principal, integrationId: string | undefined): Promise<NumberAccount> {
  const { workspaceId, sandbox } = principal;
  return { workspaceId, sandbox, integration: integrationId ? await integrationFor(engine, principal, integrationId) : undefined };
}

/** Numbers with their channels; a test key sees its own only. */
async function withChannels(engine: Engine, principal: Principal, rows: PhoneNumberRow[]): Promise<Seen[]> {
  if (rows.length === 0) return [];
  const { workspaceId, sandbox } = principal;
  const one = rows.length === 1 ? { phoneNumberId: rows[0]!.id } : {};
  const made = await listVotelChannels(engine.database, workspaceId, { type: 'sms', ...one }, { limit: MOST, offset: 0 });
  const found = made.rows.flatMap(({ id, phoneNumberId }) => (phoneNumberId ? [{ id, phoneNumberId }] : []));
  const channels = found.length > 0 ? await listChannels(engine.database, workspaceId, { ids: found.map(({ id }) => id) }) : [];
  const byId = new Map(channels.map((channel) => [channel.id, channel]));
  const byNumber = new Map(found.map(({ id, phoneNumberId }) => [phoneNumberId, byId.get(id)]));
  return rows.map((row) => ({ row, channel: byNumber.get(row.id) })).filter(({ row }) => !sandbox || row.sandbox);
}

async function shown(engine: Engine, principal: Principal, row: PhoneNumberRow): Promise<Static<typeof PhoneNumber>> {
  const [seen] = await withChannels(engine, principal, [row]);
  return show(seen ?? { row, channel: undefined });
}

function show({ row, channel }: Seen): Static<typeof PhoneNumber> {
  const { id, phoneNumber, name, integrationId, capabilities, providerId, createdAt } = row;
  return {
    id,
    phoneNumber,
    name,
    integrationId,
    capabilities,
    channelId: channel?.id ?? null,
    releasable: providerId !== null,
    createdAt: iso(createdAt),
  };
}
