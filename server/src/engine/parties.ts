/** Finds or makes the contact and the conversation behind every party of a batch of inbound events. */
import type { MessageEvent, Party } from '../connectors/events.ts';
import { uuidv7 } from '../model/ids.ts';
import { phoneForms } from '../model/phone.ts';
import { updateProfile } from '../store/contacts.ts';
import type { Client } from '../store/database.ts';
import * as sql from '../store/ingest-sql.ts';
import type { Route } from './routes.ts';
import { placeThreads } from './threads.ts';

export interface Wanted {
  route: Route;
  party: Party;
  thread: MessageEvent['thread'];
  /** The provider's id of the message itself. */
  ref?: string;
  /** False: look it up, but do not make it when there is none. */
  create: boolean;
  at: Date;
}

export interface Found {
  contactId: string;
  /** Null when the contact has no conversation there and none was to be made. */
  conversationId: string | null;
  /** The conversation was found by nothing but the subject. */
  guessed?: boolean;
}

export interface Resolution {
  /** The answer to each wish, in its order; null when there is no such contact. */
  found: (Found | null)[];
  newContacts: { workspaceId: string; id: string }[];
  newConversations: { workspaceId: string; id: string; channelId: string; contactId: string }[];
}

interface Address {
  workspaceId: string;
  kind: string;
  scope: string;
  value: string;
}

/**
 * One wish per event in, one answer each out. A party is found by any of its addresses (a person may be known by a
 * number today and by a provider's own id tomorrow), also by another form of the same phone number, and gains the ones
 * that were new.
 */
export async function resolveParties(client: Client, wishes: Wanted[]): Promise<Resolution> {
  const resolution: Resolution = { found: wishes.map(() => null), newContacts: [], newConversations: [] };
  if (wishes.length === 0) return resolution;

  const known = await lookUp(client, wishes);
  const contacts = new KnownContacts();
  const conversations = new Map<string, string>();
  for (const row of known) {
    const wish = wishes[row.n]!;
    contacts.set(addressOf(wish.route, row), row.contactId);
    if (row.conversationId) conversations.set(conversationKey(wish, row.contactId, wish.thread?.key ?? ''), row.conversationId);
  }
  await nameNameless(client, wishes, known);

  await makeContacts(client, wishes, contacts, resolution);
  const contactOfWish = wishes.map((wish) => contactIdOf(wish, contacts));
  const placed = await placeThreads(client, wishes, contactOfWish);
  const keyOf = (n: number) => placed.get(n)?.place.key ?? wishes[n]!.thread?.key ?? '';
  const missing = new Map<string, { wish: Wanted; contactId: string; threadKey: string }>();
  wishes.forEach((wish, n) => {
    const contactId = contactOfWish[n];
    if (!contactId || !wish.create || placed.get(n)?.place.id) return;
    const threadKey = keyOf(n);
    const key = conversationKey(wish, contactId, threadKey);
    if (!conversations.has(key) && !missing.has(key)) missing.set(key, { wish, contactId, threadKey });
  });
  const made = await sql.insertConversations(
    client,
    [...missing.values()].map(({ wish, contactId, threadKey }) => ({
      workspaceId: wish.route.workspaceId,
      id: wish.thread?.id ?? uuidv7(),
      channelId: wish.route.channelId,
      contactId,
      threadKey,
      threadData: wish.thread?.data ?? {},
      subject: wish.thread?.subject ?? null,
      createdAt: wish.at,
    })),
  );
  for (const row of made) {
    conversations.set([row.workspaceId, row.channelId, row.contactId, row.threadKey].join('\n'), row.id);
    if (row.isNew) resolution.newConversations.push(row);
  }

  wishes.forEach((wish, n) => {
    const contactId = contactOfWish[n];
    if (!contactId) return;
    const known = placed.get(n)?.place.id ?? conversations.get(conversationKey(wish, contactId, keyOf(n)));
    resolution.found[n] = { contactId, conversationId: known ?? null, ...(placed.get(n)?.guessed ? { guessed: true } : {}) };
  });
  return resolution;
}

async function lookUp(client: Client, wishes: Wanted[]): Promise<sql.PartyRow[]> {
  const queries = wishes.flatMap((wish, n) =>
    wish.party.identities.flatMap(({ kind, value }) =>
      formsOf(kind, value).map((form) => ({
        n,
        ...addressOf(wish.route, { kind, value: form }),
        channelId: wish.route.channelId,
        threadKey: wish.thread?.key ?? '',
      })),
    ),
  );
  return sql.findParties(client, queries);
}

/** Whom we wrote to first, or knew by an echo, is named by the first message that tells a name. */
async function nameNameless(client: Client, wishes: Wanted[], known: sql.PartyRow[]): Promise<void> {
  const named = new Set<string>();
  for (const { n, contactId, nameless } of known) {
    const { party, route } = wishes[n]!;
    if (!nameless || party.name === undefined || named.has(contactId)) continue;
    named.add(contactId);
    await updateProfile(client, route.workspaceId, contactId, party);
  }
}

async function makeContacts(client: Client, wishes: Wanted[], contacts: KnownContacts, resolution: Resolution): Promise<void> {
  const newContacts: sql.NewContact[] = [];
  const newIdentities = new Map<string, sql.NewIdentity>();
  for (const wish of wishes) {
    if (wish.party.identities.length === 0) continue;
    let contactId = contactIdOf(wish, contacts);
    if (!contactId) {
      if (!wish.create) continue;
      contactId = uuidv7();
      newContacts.push({
        workspaceId: wish.route.workspaceId,
        id: contactId,
        displayName: wish.party.name ?? null,
        avatarUrl: wish.party.avatarUrl ?? null,
        profileState: wish.party.name === undefined && wish.route.connector.profile ? 'wanted' : null,
      });
    }
    for (const identity of wish.party.identities) {
      const address = addressOf(wish.route, identity);
      const key = addressKey(address);
      if (contacts.has(address)) continue;
      contacts.set(address, contactId);
      newIdentities.set(key, { ...address, contactId });
    }
  }
  if (newIdentities.size === 0) return;
  await sql.insertContacts(client, newContacts);
  const inserted = await sql.insertIdentities(client, [...newIdentities.values()]);
  const insertedKeys = new Set(inserted.map(addressKey));
  const lost = [...newIdentities.values()].filter((row) => !insertedKeys.has(addressKey(row)));
  if (lost.length > 0) await yieldToOthers(client, lost, inserted, contacts, newContacts);
  const kept = new Set(contacts.ids());
  for (const contact of newContacts) {
    if (kept.has(contact.id)) resolution.newContacts.push({ workspaceId: contact.workspaceId, id: contact.id });
  }
}

/** Another transaction gave an address of ours to its own new contact first: its contact wins. */
async function yieldToOthers(
  client: Client,
  lost: sql.NewIdentity[],
  inserted: sql.NewIdentity[],
  contacts: KnownContacts,
  newContacts: sql.NewContact[],
): Promise<void> {
  for (const row of lost) {
    const result = await client.query(
      'select contact_id as "contactId" from identities where workspace_id = $1 and kind = $2 and scope = $3 and value = $4',
      [row.workspaceId, row.kind, row.scope, row.value],
    );
    const winner = (result.rows[0] as { contactId: string }).contactId;
    contacts.set(row, winner);
    if (!newContacts.some((contact) => contact.id === row.contactId)) continue;
    for (const own of inserted.filter((other) => other.contactId === row.contactId)) {
      await client.query('update identities set contact_id = $5 where workspace_id = $1 and kind = $2 and scope = $3 and value = $4', [
        own.workspaceId,
        own.kind,
        own.scope,
        own.value,
        winner,
      ]);
      contacts.set(own, winner);
    }
    await sql.deleteContacts(client, row.workspaceId, [row.contactId]);
  }
}

function contactIdOf(wish: Wanted, contacts: KnownContacts): string | undefined {
  const addresses = wish.party.identities.map((identity) => addressOf(wish.route, identity));
  for (const address of addresses) {
    const id = contacts.get(address);
    if (id) return id;
  }
  for (const address of addresses) {
    const id = contacts.byOtherForm(address);
    if (id) return id;
  }
  return undefined;
}

/** Contacts by the addresses that are known so far. */
class KnownContacts {
  readonly #exact = new Map<string, string>();
  readonly #anyForm = new Map<string, string>();

  set(address: Address, contactId: string): void {
    this.#exact.set(addressKey(address), contactId);
    this.#anyForm.set(formKey(address), contactId);
  }

  has(address: Address): boolean {
    return this.#exact.has(addressKey(address));
  }

  get(address: Address): string | undefined {
    return this.#exact.get(addressKey(address));
  }

  /** Who has the same phone line under another of its forms. */
  byOtherForm(address: Address): string | undefined {
    return this.#anyForm.get(formKey(address));
  }

  ids(): Iterable<string> {
    return this.#exact.values();
  }
}

/** The same for all forms of an address; what is written down stays as it was given. */
function formKey(address: Address): string {
  const value = formsOf(address.kind, address.value).toSorted()[0]!;
  return addressKey({ ...address, value });
}

function formsOf(kind: string, value: string): string[] {
  return kind === 'phonenumber' ? phoneForms(value) : [value];
}

/** An address as it is kept: on some sources people's ids mean something only within the channel. */
export function addressOf(route: Route, identity: { kind: string; value: string }): Address {
  const scoped = route.connector.identity.scoped && identity.kind === route.connector.identity.kind;
  return {
    workspaceId: route.workspaceId,
    kind: identity.kind,
    scope: scoped ? route.sourceChannelId : '',
    value: identity.value,
  };
}

/** One text for one address, for looking it up in memory. */
export function addressKey(address: Address): string {
  return [address.workspaceId, address.kind, address.scope, address.value].join('\n');
}

function conversationKey(wish: Wanted, contactId: string, threadKey: string): string {
  return [wish.route.workspaceId, wish.route.channelId, contactId, threadKey].join('\n');
}
