/**
 * Which conversation each message of a batch belongs to, by `ThreadRef`: candidates, then the message's own id (an answer
 * may have come before it), then the key, then the guess, else a new one. Only for messages that name candidates.
 */
import type { Client } from '../store/database.ts';
import * as sql from '../store/threads.ts';
import type { Wanted } from './parties.ts';

const GUESS_MS = 7 * 86_400_000;

/** A conversation that exists (`id`), or one that is to be made with `key`. */
export interface Place {
  id: string | undefined;
  key: string;
}

export interface Placed {
  place: Place;
  /** Nothing but the subject tied it. */
  guessed: boolean;
}

/** True when the conversation is looked for by more than the key. */
export function isThreaded(wish: Wanted): boolean {
  return wish.thread?.candidates !== undefined || wish.thread?.guess !== undefined;
}

/** The place of each wish, by its position; wishes that are not threaded, or whose contact is not known, have none. */
export async function placeThreads(client: Client, wishes: Wanted[], contactIds: (string | undefined)[]): Promise<Map<number, Placed>> {
  const items = wishes.flatMap((wish, n) => {
    const contactId = contactIds[n];
    if (!contactId || !isThreaded(wish)) return [];
    return [{ n, wish, contactId, scope: [wish.route.workspaceId, wish.route.channelId, contactId].join('\n') }];
  });
  if (items.length === 0) return new Map();
  const known = await lookUpRefs(client, items);
  const guesses = await lookUpGuesses(client, items);
  const recent = new Map<string, { place: Place; at: number }>();
  const placed = new Map<number, Placed>();
  for (const { n, wish, scope } of items) {
    const refs = refsOf(wish);
    const named = refs.map((ref) => known.get(`${scope}\n${ref}`)).find((place) => place !== undefined);
    const guessed = named ? undefined : guessOf(wish, scope, guesses.get(n), recent);
    const place = named ?? guessed ?? { id: undefined, key: wish.thread!.key };
    for (const ref of refs) if (!known.has(`${scope}\n${ref}`)) known.set(`${scope}\n${ref}`, place);
    const own = wish.thread!.data?.guess;
    if (typeof own === 'string') recent.set(`${scope}\n${own}`, { place, at: wish.at.getTime() });
    placed.set(n, { place, guessed: guessed !== undefined });
  }
  return placed;
}

/** Everything that ties a message to a conversation, best first. */
function refsOf(wish: Wanted): string[] {
  const { candidates = [], key } = wish.thread!;
  return [...new Set([...candidates, ...(wish.ref === undefined ? [] : [wish.ref]), key])];
}

interface Item {
  n: number;
  wish: Wanted;
  contactId: string;
  scope: string;
}

async function lookUpRefs(client: Client, items: Item[]): Promise<Map<string, Place>> {
  const queries = new Map<string, sql.RefQuery>();
  for (const { wish, contactId, scope } of items) {
    for (const ref of refsOf(wish)) {
      const { workspaceId, channelId } = wish.route;
      const id = `${scope}\n${ref}`;
      if (!queries.has(id)) queries.set(id, { n: queries.size, workspaceId, channelId, contactId, ref });
    }
  }
  const ids = [...queries.keys()];
  const hits = await sql.findByRefs(client, [...queries.values()]);
  return new Map(hits.map((hit) => [ids[hit.n]!, { id: hit.conversationId, key: '' }]));
}

async function lookUpGuesses(client: Client, items: Item[]): Promise<Map<number, Place>> {
  const hits = await sql.findByGuess(
    client,
    items.flatMap(({ n, wish, contactId }) => {
      const { workspaceId, channelId } = wish.route;
      return wish.thread?.guess ? [{ n, workspaceId, channelId, contactId, guess: wish.thread.guess, at: wish.at }] : [];
    }),
  );
  return new Map(hits.map((hit) => [hit.n, { id: hit.conversationId, key: '' }]));
}

function guessOf(
  wish: Wanted,
  scope: string,
  stored: Place | undefined,
  recent: Map<string, { place: Place; at: number }>,
): Place | undefined {
  if (!wish.thread?.guess) return undefined;
  const fresh = recent.get(`${scope}\n${wish.thread.guess}`);
  return fresh && fresh.at > wish.at.getTime() - GUESS_MS ? fresh.place : stored;
}
