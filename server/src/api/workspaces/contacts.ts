/** The people at the far end. */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import type { Identity, Contact as Row } from '../../model/contact.ts';
import { invalid, PatchbayError } from '../../model/errors.ts';
import { uuidv7 } from '../../model/ids.ts';
import {
  addIdentities,
  type ContactChange,
  changeContact,
  contactByIdentity,
  deleteContact,
  getContact,
  identitiesOf,
  insertContact,
  listContacts,
} from '../../store/contacts.ts';
import type { Client } from '../../store/database.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import { contactFor } from './access.ts';
import { displayNameOf, identifiersOf } from './conversation-view.ts';
import { page, placeOf, placeToken } from './paging.ts';
import { ids, iso, listAnswer, listQuery, NoContent } from './schemas/common.ts';
import { ChangeContact, Contact, CreateContact } from './schemas/contact.ts';
import { addressOf } from './sending.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Contacts'];

export function contactRoutes(app: Routes, { engine }: SurfaceParts): void {
  reads(app, engine);
  writes(app, engine);
}

function reads(app: Routes, engine: Engine): void {
  app.get(
    '/contacts',
    {
      config: { scope: 'contacts:read' },
      schema: {
        tags,
        operationId: 'listContacts',
        summary: 'The contacts, oldest first',
        params: ids(),
        querystring: listQuery({
          search: Type.Optional(Type.String({ maxLength: 200, description: 'Part of the name or of an address.' })),
        }),
        response: { 200: listAnswer(Contact) },
      },
    },
    async (request) => {
      const { workspaceId, sandbox } = request.principal;
      const { limit = 10, search, reverse = false } = request.query;
      const after = placeOf(request.query.pageToken);
      const { contacts } = await listContacts(engine.database, workspaceId, {
        order: 'created',
        ...(search ? { search } : {}),
        ...(sandbox ? { sandboxOnly: true } : {}),
        ...(after ? { after: { name: null, createdAt: after.at, id: after.id } } : {}),
        newestFirst: reverse,
        withTotal: false,
        limit: limit + 1,
      });
      const { rows, ...next } = page(contacts, limit, (row) => placeToken({ at: row.createdAt, id: row.id }));
      return { results: await showContacts(engine.database, workspaceId, rows), ...next };
    },
  );
  app.get(
    '/contacts/:contactId',
    {
      config: { scope: 'contacts:read' },
      schema: { tags, operationId: 'getContact', summary: 'One contact', params: ids('contactId'), response: { 200: Contact } },
    },
    async (request) => {
      const row = await contactFor(engine.database, request.principal, request.params.contactId);
      return (await showContacts(engine.database, row.workspaceId, [row]))[0]!;
    },
  );
}

function writes(app: Routes, engine: Engine): void {
  app.post(
    '/contacts',
    {
      config: { scope: 'contacts:write' },
      schema: {
        tags,
        operationId: 'createContact',
        summary: 'Make a contact; an address that somebody has already is a conflict',
        params: ids(),
        body: CreateContact,
        response: { 201: Contact },
      },
    },
    async (request, reply) => {
      const { workspaceId } = request.principal;
      const { identifiers = [] } = request.body;
      const id = uuidv7();
      const contact = await engine.database.transaction(async (client) => {
        const change = changeOf(request.body, {});
        await insertContact(client, {
          workspaceId,
          id,
          displayName: change.displayName ?? null,
          avatarUrl: change.avatarUrl ?? null,
          attributes: change.attributes ?? {},
        });
        await claimAddresses(client, { workspaceId, id }, identifiers, (n) => `identifiers.${n}.value`);
        await appendEvents(client, [{ workspaceId, type: 'contact.created', contactId: id }]);
        return shownOf(client, workspaceId, id);
      });
      return reply.code(201).send(contact);
    },
  );
  app.patch(
    '/contacts/:contactId',
    {
      config: { scope: 'contacts:write' },
      schema: {
        tags,
        operationId: 'changeContact',
        summary: 'Change a contact; attributes that are not given stay, null removes one',
        params: ids('contactId'),
        body: ChangeContact,
        response: { 200: Contact },
      },
    },
    async (request) => {
      const { workspaceId } = request.principal;
      const { contactId } = request.params;
      return engine.database.transaction(async (client) => {
        const row = await contactFor(client, request.principal, contactId);
        await changeContact(client, workspaceId, row.id, changeOf(request.body, row.attributes));
        await claimAddresses(client, row, request.body.addIdentifiers ?? [], (n) => `addIdentifiers.${n}.value`);
        await appendEvents(client, [{ workspaceId, type: 'contact.updated', contactId: row.id }]);
        return shownOf(client, workspaceId, row.id);
      });
    },
  );
  app.delete(
    '/contacts/:contactId',
    {
      config: { scope: 'contacts:write' },
      schema: {
        tags,
        operationId: 'deleteContact',
        summary: 'Forget a contact; conversations with it stay, nameless',
        params: ids('contactId'),
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const { workspaceId } = request.principal;
      const { contactId } = request.params;
      await engine.database.transaction(async (client) => {
        await contactFor(client, request.principal, contactId);
        await deleteContact(client, workspaceId, contactId);
        await appendEvents(client, [{ workspaceId, type: 'contact.updated', contactId, data: { deleted: true } }]);
      });
      return reply.code(204).send(null);
    },
  );
}

/** Names and pictures may come among the attributes too, as Bird writes them. */
export function changeOf(
  body: Pick<ChangeContact, 'displayName' | 'avatarUrl' | 'attributes'>,
  known: Record<string, unknown>,
): ContactChange {
  const { displayName = body.displayName, avatarUrl = body.avatarUrl, ...others } = (body.attributes ?? {}) as Record<string, unknown>;
  const attributes = Object.fromEntries(Object.entries({ ...known, ...others }).filter(([, value]) => value !== null));
  return {
    ...(displayName === undefined ? {} : { displayName: textOrNull(displayName, 'attributes.displayName') }),
    ...(avatarUrl === undefined ? {} : { avatarUrl: textOrNull(avatarUrl, 'attributes.avatarUrl') }),
    ...(body.attributes ? { attributes } : {}),
  };
}

function textOrNull(value: unknown, field: string): string | null {
  if (value === null || (typeof value === 'string' && value.length <= 2000)) return value;
  throw invalid(field, 'must be a text of at most 2000 characters, or null');
}

/** Gives a contact addresses; `fieldOf`: what the caller called each. Throws `invalid`, and `conflict` for somebody else's. */
export async function claimAddresses(
  client: Client,
  { workspaceId, id }: { workspaceId: string; id: string },
  identifiers: { key: string; value: string }[],
  fieldOf: (n: number) => string,
): Promise<void> {
  const addresses = identifiers.map((identifier, n) => addressOf(identifier, fieldOf(n)));
  await addIdentities(client, workspaceId, id, addresses);
  for (const [n, address] of addresses.entries()) {
    const owner = await contactByIdentity(client, workspaceId, { ...address, scope: '' });
    if (owner === id) continue;
    throw new PatchbayError('conflict', `${address.value} belongs to another contact`, {
      problems: [{ field: fieldOf(n), message: 'belongs to another contact' }],
      details: { contactId: owner },
    });
  }
}

export async function shownOf(client: Client, workspaceId: string, id: string): Promise<Contact> {
  const row = await getContact(client, workspaceId, id);
  return (await showContacts(client, workspaceId, [row!]))[0]!;
}

async function showContacts(client: Client, workspaceId: string, rows: Row[]): Promise<Contact[]> {
  const identities = await identitiesOf(
    client,
    workspaceId,
    rows.map((row) => row.id),
  );
  const byContact = Map.groupBy(identities, (identity) => identity.contactId);
  return rows.map((row) => show(row, byContact.get(row.id)));
}

function show(row: Row, identities: Identity[] = []): Contact {
  const { displayName, avatarUrl } = row;
  return {
    id: row.id,
    computedDisplayName: displayNameOf(row, identities),
    featuredIdentifiers: identifiersOf(identities),
    attributes: { ...row.attributes, displayName, avatarUrl },
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}
