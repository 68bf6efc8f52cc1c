import { uuidv7 } from '../model/ids.ts';
import type { Client } from './database.ts';

export interface Tag {
  id: string;
  name: string;
  color: string;
}

export async function insertTag(client: Client, workspaceId: string, tag: { name: string; color: string }): Promise<Tag> {
  const result = await client.query<Tag>(
    'insert into tags (workspace_id, id, name, color) values ($1, $2, $3, $4) returning id, name, color',
    [workspaceId, uuidv7(), tag.name, tag.color],
  );
  return result.rows[0]!;
}

/** Every tag of a workspace, oldest first. */
export async function listTags(client: Client, workspaceId: string): Promise<Tag[]> {
  const result = await client.query<Tag>('select id, name, color from tags where workspace_id = $1 order by id', [workspaceId]);
  return result.rows;
}

/** Changes what is given; undefined when there is no such tag. */
export async function changeTag(
  client: Client,
  workspaceId: string,
  id: string,
  change: { name?: string; color?: string },
): Promise<Tag | undefined> {
  const result = await client.query<Tag>(
    `update tags set name = coalesce($3, name), color = coalesce($4, color) where workspace_id = $1 and id = $2 returning id, name, color`,
    [workspaceId, id, change.name ?? null, change.color ?? null],
  );
  return result.rows[0];
}

/** Conversations keep its id. False when there is no such tag. */
export async function deleteTag(client: Client, workspaceId: string, id: string): Promise<boolean> {
  const result = await client.query('delete from tags where workspace_id = $1 and id = $2', [workspaceId, id]);
  return (result.rowCount ?? 0) > 0;
}
