/** Contacts by their addresses: somebody else's system knows a number or a mail address, and not our ids. */
import Type, { type Static } from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { PatchbayError } from '../../model/errors.ts';
import { uuidv7 } from '../../model/ids.ts';
import { changeContact, contactByIdentity, insertContact } from '../../store/contacts.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import type { Principal } from '../auth.ts';
import { contactFor } from './access.ts';
import { changeOf, claimAddresses, shownOf } from './contacts.ts';
import { ids, Uuid } from './schemas/common.ts';
import { Contact, Identifier, UpsertContact } from './schemas/contact.ts';
import { addressOf } from './sending.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Contacts'];

export function identifierRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.patch(
    '/contacts/identifiers/:identifierKey/:identifierValue',
    {
      config: { scope: 'contacts:write' },
      schema: {
        tags,
        operationId: 'upsertContact',
        summary: 'Change the contact with an address; one that nobody has becomes a contact',
        params: Type.Object({
          workspaceId: Uuid,
          identifierKey: Identifier.properties.key,
          identifierValue: Identifier.properties.value,
        }),
        body: UpsertContact,
        response: { 200: Contact, 201: Contact },
      },
    },
    async (request, reply) => {
      const { identifierKey: key, identifierValue: value } = request.params;
      const work = () => upsert(engine, request.principal, { key, value }, request.body);
      // Of two at the same time one finds nobody and then comes too late: now there is somebody.
      const { made, contact } = await work().catch((error: unknown) => {
        if (error instanceof PatchbayError && error.problems[0]?.field === 'identifierValue' && error.code === 'conflict') return work();
        throw error;
      });
      return reply.code(made ? 201 : 200).send(contact);
    },
  );
  app.post(
    '/contacts/:contactId/identifiers',
    {
      config: { scope: 'contacts:write' },
      schema: {
        tags,
        operationId: 'addIdentifier',
        summary: 'Give a contact another address; one that somebody else has is a conflict',
        params: ids('contactId'),
        body: Identifier,
        response: { 201: Contact },
      },
    },
    async (request, reply) => {
      const { principal, params, body } = request;
      const contact = await engine.database.transaction(async (client) => {
        const row = await contactFor(client, principal, params.contactId);
        await claimAddresses(client, row, [body], () => 'value');
        await appendEvents(client, [{ workspaceId: row.workspaceId, type: 'contact.updated', contactId: row.id }]);
        return shownOf(client, row.workspaceId, row.id);
      });
      return reply.code(201).send(contact);
    },
  );
}

function upsert(engine: Engine, principal: Principal, identifier: { key: string; value: string }, body: Static<typeof UpsertContact>) {
  const { workspaceId } = principal;
  const address = { ...addressOf(identifier, 'identifierValue'), scope: '' };
  return engine.database.transaction(async (client) => {
    const owner = await contactByIdentity(client, workspaceId, address);
    const row = owner === undefined ? undefined : await contactFor(client, principal, owner);
    const id = row?.id ?? uuidv7();
    const change = changeOf(body, row?.attributes ?? {});
    if (row) await changeContact(client, workspaceId, id, change);
    else {
      const { displayName = null, avatarUrl = null, attributes = {} } = change;
      await insertContact(client, { workspaceId, id, displayName, avatarUrl, attributes });
      await claimAddresses(client, { workspaceId, id }, [identifier], () => 'identifierValue');
    }
    await claimAddresses(client, { workspaceId, id }, body.addIdentifiers ?? [], (n) => `addIdentifiers.${n}.value`);
    await appendEvents(client, [{ workspaceId, type: row ? 'contact.updated' : 'contact.created', contactId: id }]);
    return { made: !row, contact: await shownOf(client, workspaceId, id) };
  });
}
