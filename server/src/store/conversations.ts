import type { Conversation } from '../model/conversation.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';
import { columnsOf, type RowKey } from './row-key.ts';

const COLUMNS = `c.workspace_id as "workspaceId", c.id, c.channel_id as "channelId", c.contact_id as "contactId", c.thread_key as "threadKey",
  c.thread_data as "threadData", c.subject, c.state, c.tags, c.unread_count as "unreadCount", c.metadata,
  c.last_message_id as "lastMessageId", c.last_message_at as "lastMessageAt", c.last_inbound_at as "lastInboundAt",
  c.window_expires_at as "windowExpiresAt", c.created_at as "createdAt", c.updated_at as "updatedAt"`;

export async function getConversation(client: Client, workspaceId: string, id: string): Promise<Conversation | undefined> {
  const result = await client.query<Conversation>(`select ${COLUMNS} from conversations c where c.workspace_id = $1 and c.id = $2`, [
    workspaceId,
    id,
  ]);
  return result.rows[0];
}

/** Conversations by id; those that are not there are left out. */
export async function getConversations(client: Client, workspaceId: string, ids: string[]): Promise<Conversation[]> {
  if (ids.length === 0) return [];
  const result = await client.query<Conversation>(`select ${COLUMNS} from conversations c where c.workspace_id = $1 and c.id = any($2)`, [
    workspaceId,
    ids,
  ]);
  return result.rows;
}

/** Conversations of any workspaces; those that are not there are left out. */
export async function getConversationsAcross(client: Client, keys: RowKey[]): Promise<Conversation[]> {
  const result = await client.query<Conversation>({
    name: 'conversations-across',
    text: `select ${COLUMNS} from conversations c where (c.workspace_id, c.id) in (select * from unnest($1::uuid[], $2::uuid[]))`,
    values: columnsOf(keys),
  });
  return result.rows;
}

export async function conversationsOfContact(client: Client, workspaceId: string, contactId: string): Promise<Conversation[]> {
  const result = await client.query<Conversation>(
    `select ${COLUMNS} from conversations c where c.workspace_id = $1 and c.contact_id = $2 order by c.last_message_at desc nulls last, c.id`,
    [workspaceId, contactId],
  );
  return result.rows;
}

/** The conversations of several contacts: which, whose, and where. */
export async function conversationsOfContacts(
  client: Client,
  workspaceId: string,
  contactIds: string[],
): Promise<Pick<Conversation, 'id' | 'contactId' | 'channelId'>[]> {
  if (contactIds.length === 0) return [];
  const result = await client.query<Pick<Conversation, 'id' | 'contactId' | 'channelId'>>(
    `select id, contact_id as "contactId", channel_id as "channelId" from conversations where workspace_id = $1 and contact_id = any($2) order by id`,
    [workspaceId, contactIds],
  );
  return result.rows;
}

/** The conversation of a contact on a channel; undefined when they never wrote there. */
export async function findConversation(
  client: Client,
  workspaceId: string,
  key: { channelId: string; contactId: string; threadKey: string },
): Promise<Conversation | undefined> {
  const result = await client.query<Conversation>(
    `select ${COLUMNS} from conversations c where c.workspace_id = $1 and c.channel_id = $2 and c.contact_id = $3 and c.thread_key = $4`,
    [workspaceId, key.channelId, key.contactId, key.threadKey],
  );
  return result.rows[0];
}

/** A condition of a filter over conversations, with its values: `$?` stands for each of them. */
export interface Condition {
  sql: string;
  values: unknown[];
}

export interface ConversationPage {
  /** Over `c` (conversations), `k` (contacts), `h` (channels). */
  where?: Condition;
  offset?: number;
  /** Keyset: rows after this one in the order asked for. */
  after?: { lastMessageAt: Date; id: string };
  oldestFirst?: boolean;
  limit: number;
  withTotal?: boolean;
}

/** A page of the conversations that have a message, by the newest message first unless told; `total` when asked for. */
export async function listConversations(
  client: Client,
  workspaceId: string,
  page: ConversationPage,
): Promise<{ conversations: Conversation[]; total: number | undefined }> {
  const { from, where, values, bind } = selection(workspaceId, page.where);
  const total = page.withTotal ? await countConversations(client, workspaceId, page.where) : undefined;
  const keyset = page.after
    ? ` and ${bind({ sql: `(c.last_message_at, c.id) ${page.oldestFirst ? '>' : '<'} ($?::timestamptz, $?::uuid)`, values: [page.after.lastMessageAt, page.after.id] })}`
    : '';
  const direction = page.oldestFirst ? 'asc' : 'desc';
  const paging = bind({ sql: 'limit $? offset $?', values: [page.limit, page.offset ?? 0] });
  const result = await client.query<Conversation>(
    `select ${COLUMNS} from ${from} where ${where}${keyset} order by c.last_message_at ${direction}, c.id ${direction} ${paging}`,
    values,
  );
  return { conversations: result.rows, total };
}

/** How many conversations have a message, and meet the condition. */
export async function countConversations(client: Client, workspaceId: string, condition?: Condition): Promise<number> {
  const { from, where, values } = selection(workspaceId, condition);
  const result = await client.query<{ n: number }>(`select count(*)::integer as n from ${from} where ${where}`, values);
  return result.rows[0]!.n;
}

function selection(workspaceId: string, condition: Condition | undefined) {
  const values: unknown[] = [workspaceId];
  const bind = ({ sql, values: own }: Condition) => {
    let next = 0;
    return sql.replace(/\$\?/g, () => {
      values.push(own[next++]);
      return `$${values.length}`;
    });
  };
  const filter = condition ? ` and (${bind(condition)})` : '';
  // A join that nothing asks for would cost as much as the rest.
  const joins = [
    ...(filter.includes('k.') ? ['join contacts k on k.workspace_id = c.workspace_id and k.id = c.contact_id'] : []),
    ...(filter.includes('h.') ? ['join channels h on h.workspace_id = c.workspace_id and h.id = c.channel_id'] : []),
  ];
  const from = ['conversations c', ...joins].join(' ');
  return { from, where: `c.workspace_id = $1 and c.last_message_at is not null${filter}`, values, bind };
}

export interface ConversationChange {
  /** null removes it. */
  state?: string | null;
  addTag?: string;
  removeTag?: string;
  /** The new whole. */
  metadata?: Record<string, unknown>;
  subject?: string | null;
}

export async function changeConversation(
  client: Client,
  workspaceId: string,
  id: string,
  change: ConversationChange,
): Promise<Conversation | undefined> {
  const result = await client.query<Conversation>(
    `update conversations c set
       state = case when $3 then $4 else state end,
       tags = case when $5::text is not null then array_append(array_remove(tags, $5), $5)
                   when $6::text is not null then array_remove(tags, $6) else tags end,
       metadata = coalesce($7::jsonb, metadata),
       subject = case when $8 then $9 else subject end,
       updated_at = now()
     where c.workspace_id = $1 and c.id = $2 returning ${COLUMNS}`,
    [
      workspaceId,
      id,
      change.state !== undefined,
      change.state ?? null,
      change.addTag ?? null,
      change.removeTag ?? null,
      change.metadata ? toJson(change.metadata) : null,
      change.subject !== undefined,
      change.subject ?? null,
    ],
  );
  return result.rows[0];
}

/** Marks everything read that came before now; answers the ids of the messages that were unread, newest first. */
export async function markRead(client: Client, workspaceId: string, id: string): Promise<string[] | undefined> {
  const before = await client.query<{ readAt: Date | null; unread: number }>(
    `select read_at as "readAt", unread_count as unread from conversations where workspace_id = $1 and id = $2 for no key update`,
    [workspaceId, id],
  );
  const row = before.rows[0];
  if (!row) return undefined;
  if (row.unread === 0) return [];
  const unread = await client.query<{ id: string }>(
    `update messages set metadata = metadata || jsonb_build_object('user_read', extract(epoch from date_trunc('milliseconds', sent_at)) * 1000)
     where workspace_id = $1 and id in (
       select id from messages where workspace_id = $1 and conversation_id = $2 and direction = 'in' order by sent_at desc, id desc limit $3)
     returning id`,
    [workspaceId, id, row.unread],
  );
  await client.query('update conversations set unread_count = 0, read_at = now(), updated_at = now() where workspace_id = $1 and id = $2', [
    workspaceId,
    id,
  ]);
  return unread.rows.map((message) => message.id);
}
