import type { Message } from '../model/message.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';
import { columnsOf, type RowKey } from './row-key.ts';

const COLUMNS = `workspace_id as "workspaceId", id, channel_id as "channelId", conversation_id as "conversationId", contact_id as "contactId",
  source, direction, provider_id as "providerId", state, content, payload, sender_id as "senderId", sender_name as "senderName",
  reply_to as "replyTo", error, metadata, sent_at as "sentAt", state_at as "stateAt", created_at as "createdAt", updated_at as "updatedAt"`;

export async function getMessage(client: Client, workspaceId: string, id: string): Promise<Message | undefined> {
  const result = await client.query<Message>(`select ${COLUMNS} from messages where workspace_id = $1 and id = $2`, [workspaceId, id]);
  return result.rows[0];
}

/** Messages by id; those that are not there are left out. */
export async function getMessages(client: Client, workspaceId: string, ids: string[]): Promise<Message[]> {
  if (ids.length === 0) return [];
  const result = await client.query<Message>(`select ${COLUMNS} from messages where workspace_id = $1 and id = any($2)`, [
    workspaceId,
    ids,
  ]);
  return result.rows;
}

/** Messages of any workspaces; those that are not there are left out. */
export async function getMessagesAcross(client: Client, keys: RowKey[]): Promise<Message[]> {
  const result = await client.query<Message>({
    name: 'messages-across',
    text: `select ${COLUMNS} from messages where (workspace_id, id) in (select * from unnest($1::uuid[], $2::uuid[]))`,
    values: columnsOf(keys),
  });
  return result.rows;
}

/** The message that the provider knows by this id. */
export async function getByProviderId(
  client: Client,
  workspaceId: string,
  channelId: string,
  providerId: string,
): Promise<Message | undefined> {
  const result = await client.query<Message>(
    `select ${COLUMNS} from messages where workspace_id = $1 and channel_id = $2 and provider_id = $3`,
    [workspaceId, channelId, providerId],
  );
  return result.rows[0];
}

/** A page of a conversation, newest first unless told; `before` is the last row of the page before. */
export async function listInConversation(
  client: Client,
  workspaceId: string,
  conversationId: string,
  page: { before?: { sentAt: Date; id: string }; oldestFirst?: boolean; limit: number; offset?: number },
): Promise<Message[]> {
  const direction = page.oldestFirst ? 'asc' : 'desc';
  const result = await client.query<Message>(
    `select ${COLUMNS} from messages where workspace_id = $1 and conversation_id = $2
       and ($3::timestamptz is null or (sent_at, id) ${page.oldestFirst ? '>' : '<'} ($3, $4::uuid))
     order by sent_at ${direction}, id ${direction} limit $5 offset $6`,
    [workspaceId, conversationId, page.before?.sentAt ?? null, page.before?.id ?? null, page.limit, page.offset ?? 0],
  );
  return result.rows;
}

/** The contact's newest message of a conversation. */
export async function newestInbound(client: Client, workspaceId: string, conversationId: string): Promise<Message | undefined> {
  const result = await client.query<Message>(
    `select ${COLUMNS} from messages where workspace_id = $1 and conversation_id = $2 and direction = 'in' order by sent_at desc, id desc limit 1`,
    [workspaceId, conversationId],
  );
  return result.rows[0];
}

export async function countInConversation(client: Client, workspaceId: string, conversationId: string): Promise<number> {
  const result = await client.query<{ n: number }>(
    'select count(*)::integer as n from messages where workspace_id = $1 and conversation_id = $2',
    [workspaceId, conversationId],
  );
  return result.rows[0]!.n;
}

export interface ChannelMessagePage {
  /** null: every channel of the workspace. */
  channelId: string | null;
  direction?: 'in' | 'out';
  states?: string[];
  startAt?: Date;
  endAt?: Date;
  contactId?: string;
  /** Of the contact with this address. */
  address?: { kind: string; value: string };
  /** Of channels made with test keys. */
  sandboxOnly?: boolean;
  /** Failed ones: only those that the provider took first, or only those that it did not take. */
  failedAfterSending?: boolean;
  /** Ids grow with time, so they are the keyset. */
  after?: string;
  oldestFirst?: boolean;
  limit: number;
}

/** A page of a channel's messages in the order in which they came to us, newest first unless told. */
export async function listInChannel(client: Client, workspaceId: string, page: ChannelMessagePage): Promise<Message[]> {
  const result = await client.query<Message>(
    `select ${COLUMNS} from messages where workspace_id = $1
       and ($2::uuid is null or channel_id = $2) and ($3::text is null or direction = $3)
       and ($4::text[] is null or state = any($4)) and ($5::timestamptz is null or sent_at >= $5)
       and ($6::timestamptz is null or sent_at < $6) and ($7::uuid is null or contact_id = $7)
       and ($8::uuid is null or id ${page.oldestFirst ? '>' : '<'} $8)
       and ($10::text is null or contact_id in (select i.contact_id from identities i where i.workspace_id = $1 and i.kind = $10 and i.value = $11))
       and ($12::boolean is null or channel_id in (select h.id from channels h where h.workspace_id = $1 and h.sandbox))
       and ($13::boolean is null or state <> 'failed' or (provider_id is not null) = $13)
     order by id ${page.oldestFirst ? 'asc' : 'desc'} limit $9`,
    [
      workspaceId,
      page.channelId,
      page.direction ?? null,
      page.states ?? null,
      page.startAt ?? null,
      page.endAt ?? null,
      page.contactId ?? null,
      page.after ?? null,
      page.limit,
      page.address?.kind ?? null,
      page.address?.value ?? null,
      page.sandboxOnly ?? null,
      page.failedAfterSending ?? null,
    ],
  );
  return result.rows;
}

/** The provider's ids of what else was sent in the conversation at about the same time. */
export async function providerIdsBeside(
  client: Client,
  message: Pick<Message, 'workspaceId' | 'conversationId' | 'id' | 'sentAt'>,
): Promise<string[]> {
  const result = await client.query<{ providerId: string }>(
    `select provider_id as "providerId" from messages
     where workspace_id = $1 and conversation_id = $2 and id <> $3 and direction = 'out' and provider_id is not null
       and sent_at > $4::timestamptz - interval '10 minutes' order by sent_at limit 1000`,
    [message.workspaceId, message.conversationId, message.id, message.sentAt],
  );
  return result.rows.map((row) => row.providerId);
}

/** Writes into a message's metadata; with `remove`, takes those keys out. */
export async function mergeMetadata(
  client: Client,
  workspaceId: string,
  id: string,
  metadata: Record<string, unknown>,
  remove: string[] = [],
): Promise<Message | undefined> {
  const result = await client.query<Message>(
    `update messages set metadata = (metadata || $3::jsonb) - $4::text[], updated_at = now() where workspace_id = $1 and id = $2 returning ${COLUMNS}`,
    [workspaceId, id, toJson(metadata), remove],
  );
  return result.rows[0];
}

/** Puts a failed message back in line; undefined when it is not failed. */
export async function reviveFailed(client: Client, workspaceId: string, id: string): Promise<Message | undefined> {
  const result = await client.query<Message>(
    `update messages set state = 'pending', state_at = now(), error = null, provider_id = null, updated_at = now()
     where workspace_id = $1 and id = $2 and direction = 'out' and state = 'failed' returning ${COLUMNS}`,
    [workspaceId, id],
  );
  return result.rows[0];
}
