import { isUuid } from '../model/ids.ts';
import type { Client } from './database.ts';

/** The names of tags by their ids; what is no tag of the workspace is left out. */
export async function tagNames(client: Client, workspaceId: string, ids: string[]): Promise<Map<string, string>> {
  const known = ids.filter((id) => isUuid(id));
  if (known.length === 0) return new Map();
  const result = await client.query<{ id: string; name: string }>('select id, name from tags where workspace_id = $1 and id = any($2)', [
    workspaceId,
    known,
  ]);
  return new Map(result.rows.map((row) => [row.id, row.name]));
}
