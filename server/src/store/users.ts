import type { Client } from './database.ts';

/** Whoever works through a surface: a key, or a person signed in with one. */
export interface User {
  id: string;
  name: string;
  avatarUrl: string | null;
  firstSeenAt: Date;
  lastSeenAt: Date;
}

const COLUMNS = `id, name, avatar_url as "avatarUrl", first_seen_at as "firstSeenAt", last_seen_at as "lastSeenAt"`;

/** Notes that somebody was here. */
export async function seeUser(client: Client, workspaceId: string, user: { id: string; name: string }): Promise<void> {
  await client.query(
    `insert into users (workspace_id, id, name) values ($1, $2, $3)
     on conflict (workspace_id, id) do update set name = excluded.name, last_seen_at = now()`,
    [workspaceId, user.id, user.name],
  );
}

/** A page by id, and how many there are. */
export async function listUsers(
  client: Client,
  workspaceId: string,
  page: { after?: string; limit: number },
): Promise<{ users: User[]; total: number }> {
  const [users, total] = await Promise.all([
    client.query<User>(`select ${COLUMNS} from users where workspace_id = $1 and ($2::text is null or id > $2) order by id limit $3`, [
      workspaceId,
      page.after ?? null,
      page.limit,
    ]),
    client.query<{ n: number }>('select count(*)::integer as n from users where workspace_id = $1', [workspaceId]),
  ]);
  return { users: users.rows, total: total.rows[0]!.n };
}
