/** What test keys may touch through this surface: what was made with test keys, and nothing else. */
import { isUuid, uuidv7 } from '../../model/ids.ts';
import type { Database } from '../../store/database.ts';
import { liveOnes } from '../../store/sandbox.ts';

type Json = Record<string, unknown>;

/**
 * A test key's body, in which ids of what is real are replaced by ids of nothing: every route then answers as it does
 * for what is not there, each in its own way.
 */
export async function withoutLive(database: Database, workspaceId: string, body: unknown): Promise<unknown> {
  const items = [body].flat().filter(isObject);
  const live = await liveOnes(database, workspaceId, [...new Set(items.flatMap(idsIn))]);
  if (live.size === 0) return body;
  const hidden = (value: unknown) => typeof value === 'string' && live.has(value.toLowerCase());
  const cleaned = (item: unknown) =>
    isObject(item)
      ? Object.fromEntries(
          Object.entries(item).map(([name, value]) => {
            if (name === 'conversations' && isObject(value)) return [name, keysThat(value, (id) => !hidden(id))];
            return [name, hidden(value) ? uuidv7() : value];
          }),
        )
      : item;
  return Array.isArray(body) ? body.map(cleaned) : cleaned(body);
}

function idsIn(item: Json): string[] {
  const named = isObject(item.conversations) ? Object.keys(item.conversations) : [];
  return [...Object.values(item), ...named].filter((value) => isUuid(value));
}

function keysThat(object: Json, wanted: (key: string) => boolean): Json {
  return Object.fromEntries(Object.entries(object).filter(([key]) => wanted(key)));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
