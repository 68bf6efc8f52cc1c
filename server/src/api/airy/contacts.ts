/** `contacts.*`: airy.md 1.8. */
import Type, { type Static } from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { moveContact } from '../../engine/merge-contacts.ts';
import type { Contact } from '../../model/contact.ts';
import { PatchbayError } from '../../model/errors.ts';
import { isUuid, uuidv7 } from '../../model/ids.ts';
import { changeContact, deleteContact, getContact, insertContact, listContacts } from '../../store/contacts.ts';
import { getConversation } from '../../store/conversations.ts';
import type { Client } from '../../store/database.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import { sourcesOf } from './contact-messages.ts';
import { pageOf, sizeOf } from './paging.ts';
import { type Airy, Cursor, Id, PageSize } from './routes.ts';
import { ContactAnswer, listAnswer, MergedContactAnswer, Nothing, pageAnswer } from './schemas.ts';
import { ADDRESS_FIELDS, contactView } from './views.ts';

type Json = Record<string, unknown>;

const Text = Type.Optional(Type.String({ maxLength: 4000 }));
const Words = Type.Record(Type.String(), Type.String({ maxLength: 4000 }));

const Fields = Type.Object({
  display_name: Text,
  avatar_url: Text,
  title: Text,
  gender: Text,
  // "" deletes it.
  timezone: Type.Optional(Type.Union([Type.Integer({ minimum: -24, maximum: 24 * 60 }), Type.Literal('')])),
  locale: Text,
  organization_name: Text,
  via: Type.Optional(Words),
  address: Type.Optional(Type.Object(Object.fromEntries(ADDRESS_FIELDS.map((field) => [field, Type.Optional(Type.Unknown())])))),
  conversations: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  metadata: Type.Optional(Type.Unknown()),
});
type FieldsBody = Static<typeof Fields>;

const PLAIN = ['title', 'gender', 'timezone', 'locale', 'organization_name'] as const;
const MAX_IMPORT = 1000;

export function addContacts(airy: Airy): void {
  const { engine } = airy;
  const { database } = engine;

  airy.post(
    'contacts.create',
    { needs: 'contacts:write', answer: ContactAnswer, status: 201, summary: 'Make a contact', body: Fields },
    async (call) => {
      const contact = await database.transaction((client) => create(client, call.workspaceId, call.body));
      return call.reply.code(201).send((await shown(engine, call.workspaceId, [contact]))[0]);
    },
  );

  airy.post(
    'contacts.import',
    {
      needs: 'contacts:write',
      answer: listAnswer(ContactAnswer),
      status: 201,
      summary: 'Make many contacts',
      body: Type.Array(Fields, { maxItems: MAX_IMPORT }),
    },
    async ({ body, workspaceId, reply }) => {
      const contacts = await database.transaction(async (client) => {
        const made: Contact[] = [];
        for (const fields of body) made.push(await create(client, workspaceId, fields));
        return made;
      });
      return reply.code(201).send({ data: await shown(engine, workspaceId, contacts) });
    },
  );

  airy.post(
    'contacts.list',
    {
      needs: 'contacts:read',
      answer: pageAnswer(ContactAnswer),
      summary: 'Contacts by name',
      body: Type.Object({ cursor: Cursor, page_size: PageSize }),
    },
    async ({ body, workspaceId, principal }) => {
      const limit = sizeOf(body.page_size);
      const at = body.cursor && isUuid(body.cursor) ? await getContact(database, workspaceId, body.cursor) : undefined;
      if (body.cursor && !at) throw new PatchbayError('invalid', 'the cursor is not from this list');
      const after = at && { name: at.displayName, createdAt: at.createdAt, id: at.id };
      const { contacts, total } = await listContacts(database, workspaceId, {
        order: 'name',
        ...(principal.sandbox ? { sandboxOnly: true } : {}),
        ...(after ? { after } : {}),
        limit: limit + 1,
      });
      const page = contacts.slice(0, limit);
      const next = contacts.length > limit ? page.at(-1)!.id : null;
      return { data: await shown(engine, workspaceId, page), pagination_data: pageOf(body.cursor ?? null, next, total) };
    },
  );

  airy.post(
    'contacts.info',
    {
      needs: 'contacts:read',
      answer: ContactAnswer,
      summary: 'One contact, by its id or by a conversation',
      body: Type.Object({ id: Type.Optional(Id), conversation_id: Type.Optional(Id) }),
    },
    async ({ body, workspaceId }) => {
      if (!body.id && !body.conversation_id) {
        throw new PatchbayError('invalid', 'Either contact or conversation id must be provided');
      }
      const conversation = body.id ? undefined : await getConversation(database, workspaceId, body.conversation_id!);
      const id = body.id ?? conversation?.contactId;
      const contact = id ? await getContact(database, workspaceId, id) : undefined;
      if (!contact) throw new PatchbayError('not-found', 'Contact not found');
      return (await shown(engine, workspaceId, [contact]))[0];
    },
  );

  airy.post(
    'contacts.update',
    {
      answer: Nothing,
      needs: 'contacts:write',
      status: 202,
      summary: 'Change a contact; an empty text deletes a field',
      body: Type.Object({ ...Fields.properties, id: Id }),
    },
    async ({ body, workspaceId, reply }) => {
      const { id, ...fields } = body;
      await database.transaction(async (client) => {
        await client.query('select 1 from contacts where workspace_id = $1 and id = $2 for no key update', [workspaceId, id]);
        const contact = await getContact(client, workspaceId, id);
        if (!contact) throw new PatchbayError('not-found', 'Contact not found');
        await changeContact(client, workspaceId, contact.id, {
          ...(fields.display_name === undefined ? {} : { displayName: fields.display_name || null }),
          ...(fields.avatar_url === undefined ? {} : { avatarUrl: fields.avatar_url || null }),
          attributes: attributesOf(contact.attributes, fields),
          ...(isObject(fields.metadata) ? { metadata: { ...contact.metadata, ...fields.metadata } } : {}),
        });
        await adopt(client, workspaceId, contact.id, fields);
        await appendEvents(client, [{ workspaceId, type: 'contact.updated', contactId: contact.id }]);
      });
      return reply.code(202).send();
    },
  );

  airy.post(
    'contacts.delete',
    { answer: Nothing, needs: 'contacts:write', status: 202, summary: 'Delete a contact', body: Type.Object({ id: Id }) },
    async (call) => {
      const { body, workspaceId, reply } = call;
      await database.transaction(async (client) => {
        if (!(await deleteContact(client, workspaceId, body.id))) throw new PatchbayError('not-found', 'Contact not found');
        await appendEvents(client, [{ workspaceId, type: 'contact.updated', contactId: body.id, data: { deleted: true } }]);
      });
      return reply.code(202).send();
    },
  );

  airy.post(
    'contacts.merge',
    {
      needs: 'contacts:write',
      answer: MergedContactAnswer,
      summary: 'Make one contact of two; what the destination says wins',
      body: Type.Object({ source_id: Id, destination_id: Id }),
    },
    async ({ body, workspaceId }) => {
      const merged = await database.transaction((client) => merge(engine, client, workspaceId, body.source_id, body.destination_id));
      const [view] = await shown(engine, workspaceId, [merged.contact]);
      return { ...view, merge_history: merged.history };
    },
  );
}

async function create(client: Client, workspaceId: string, fields: FieldsBody): Promise<Contact> {
  const contact = await insertContact(client, {
    workspaceId,
    id: uuidv7(),
    displayName: fields.display_name || null,
    avatarUrl: fields.avatar_url || null,
    attributes: attributesOf({}, fields),
  });
  const metadata = isObject(fields.metadata) ? fields.metadata : undefined;
  const kept = metadata ? (await changeContact(client, workspaceId, contact.id, { metadata }))! : contact;
  await adopt(client, workspaceId, contact.id, fields);
  await appendEvents(client, [{ workspaceId, type: 'contact.created', contactId: contact.id }]);
  return kept;
}

/** Conversations that are said to be this contact's: whoever had them is the same person. */
async function adopt(client: Client, workspaceId: string, contactId: string, fields: FieldsBody): Promise<void> {
  for (const id of Object.keys(fields.conversations ?? {})) {
    const conversation = isUuid(id) ? await getConversation(client, workspaceId, id) : undefined;
    if (conversation && conversation.contactId !== contactId) await moveContact(client, workspaceId, conversation.contactId, contactId);
  }
}

function attributesOf(before: Json, fields: FieldsBody): Json {
  const after: Json = { ...before };
  for (const name of PLAIN) {
    const value = fields[name];
    if (value === '') delete after[name];
    else if (value !== undefined) after[name] = value;
  }
  if (fields.via) after.via = { ...(isObject(before.via) ? before.via : {}), ...fields.via };
  if (fields.address) {
    const given = Object.entries(fields.address).filter(([, value]) => typeof value === 'string');
    const address = { ...(isObject(before.address) ? before.address : {}), ...Object.fromEntries(given) };
    after.address = Object.fromEntries(Object.entries(address).filter(([, value]) => value !== ''));
  }
  return after;
}

async function merge(engine: Engine, client: Client, workspaceId: string, sourceId: string, destinationId: string) {
  const ids = [sourceId.toLowerCase(), destinationId.toLowerCase()];
  await client.query('select 1 from contacts where workspace_id = $1 and id = any($2) order by id for no key update', [workspaceId, ids]);
  const [source, destination] = await Promise.all(ids.map((id) => getContact(client, workspaceId, id)));
  if (!source || !destination) throw new PatchbayError('not-found', 'Contact not found');
  if (source.id === destination.id) throw new PatchbayError('invalid', 'a contact cannot be merged with itself');
  const [sourceView] = await shown(engine, workspaceId, [source]);
  const history = [...listOf(destination.metadata.merge_history), ...listOf(source.metadata.merge_history), sourceView];
  await moveContact(client, workspaceId, source.id, destination.id);
  const contact = (await changeContact(client, workspaceId, destination.id, {
    ...(destination.displayName === null && source.displayName !== null ? { displayName: source.displayName } : {}),
    ...(destination.avatarUrl === null && source.avatarUrl !== null ? { avatarUrl: source.avatarUrl } : {}),
    attributes: { ...source.attributes, ...destination.attributes },
    metadata: { ...source.metadata, ...destination.metadata, merge_history: history },
  }))!;
  await appendEvents(client, [
    { workspaceId, type: 'contact.updated', contactId: contact.id, data: { mergedFrom: source.id } },
    { workspaceId, type: 'contact.updated', contactId: source.id, data: { mergedInto: contact.id } },
  ]);
  return { contact, history };
}

async function shown(engine: Engine, workspaceId: string, contacts: Contact[]) {
  const sources = await sourcesOf(
    engine,
    workspaceId,
    contacts.map((contact) => contact.id),
  );
  return contacts.map((contact) => {
    const { merge_history: _, ...metadata } = contact.metadata;
    return contactView({ ...contact, metadata }, sources.get(contact.id) ?? {});
  });
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
