import { uuidv7 } from '../model/ids.ts';
import type { Client } from './database.ts';

export interface SavedReply {
  workspaceId: string;
  id: string;
  title: string;
  category: string | null;
  body: string;
  createdAt: Date;
  updatedAt: Date;
}

const COLUMNS = `workspace_id as "workspaceId", id, title, category, body, created_at as "createdAt", updated_at as "updatedAt"`;

/** A page of replies by title, and how many there are. `search` is looked for as it is written, in any case. */
export async function listSavedReplies(
  client: Client,
  workspaceId: string,
  page: {
    search?: string;
    category?: string;
    /** The last row of the page before: its title in lower case, and its id. */
    after?: { title: string; id: string };
    backwards?: boolean;
    limit: number;
    offset: number;
  },
): Promise<{ replies: SavedReply[]; total: number }> {
  const where = `workspace_id = $1 and ($3::text is null or category = $3) and ($2::text is null
    or strpos(lower(title), lower($2)) > 0 or strpos(lower(body), lower($2)) > 0 or strpos(lower(category), lower($2)) > 0)
    and ($4::text is null or (lower(title), id) ${page.backwards ? '<' : '>'} (lower($4), $5::uuid))`;
  const values = [workspaceId, page.search || null, page.category ?? null, page.after?.title ?? null, page.after?.id ?? null];
  const order = page.backwards ? 'desc' : 'asc';
  const count = await client.query<{ n: number }>(`select count(*)::integer as n from saved_replies where ${where}`, values);
  const rows = await client.query<SavedReply>(
    `select ${COLUMNS} from saved_replies where ${where} order by lower(title) ${order}, id ${order} limit $6 offset $7`,
    [...values, page.limit, page.offset],
  );
  return { replies: rows.rows, total: count.rows[0]!.n };
}

export async function getSavedReply(client: Client, workspaceId: string, id: string): Promise<SavedReply | undefined> {
  const result = await client.query<SavedReply>(`select ${COLUMNS} from saved_replies where workspace_id = $1 and id = $2`, [
    workspaceId,
    id,
  ]);
  return result.rows[0];
}

export async function insertSavedReply(
  client: Client,
  workspaceId: string,
  reply: { title: string; category: string | null; body: string },
): Promise<SavedReply> {
  const result = await client.query<SavedReply>(
    `insert into saved_replies (workspace_id, id, title, category, body) values ($1, $2, $3, $4, $5) returning ${COLUMNS}`,
    [workspaceId, uuidv7(), reply.title, reply.category, reply.body],
  );
  return result.rows[0]!;
}

/** Changes what is given; undefined when there is no such reply. */
export async function changeSavedReply(
  client: Client,
  workspaceId: string,
  id: string,
  change: { title?: string; category?: string | null; body?: string },
): Promise<SavedReply | undefined> {
  const result = await client.query<SavedReply>(
    `update saved_replies set title = coalesce($3, title), category = case when $4 then $5 else category end, body = coalesce($6, body), updated_at = now()
     where workspace_id = $1 and id = $2 returning ${COLUMNS}`,
    [workspaceId, id, change.title ?? null, change.category !== undefined, change.category ?? null, change.body ?? null],
  );
  return result.rows[0];
}

/** False when there is no such reply. */
export async function deleteSavedReply(client: Client, workspaceId: string, id: string): Promise<boolean> {
  const result = await client.query('delete from saved_replies where workspace_id = $1 and id = $2', [workspaceId, id]);
  return (result.rowCount ?? 0) > 0;
}
