/** What was handed over of messages that take several calls. The last part is not here: its id is the message's own. */
import type { Client } from './database.ts';
import { toJson } from './json.ts';
import { enqueue, type OutboxOptions } from './outbox.ts';
import { unpark } from './unsettled.ts';

export interface PartKey {
  workspaceId: string;
  messageId: string;
  channelId: string;
}

export interface MessagePart extends PartKey {
  position: number;
  providerId: string;
  /** What was handed to the provider; null where only its echo is known. */
  payload: unknown;
}

/** The parts of a message that the provider has, first to last, without a hole. */
export async function partsOf(client: Client, { workspaceId, messageId, channelId }: PartKey): Promise<MessagePart[]> {
  const result = await client.query<MessagePart>(
    `select workspace_id as "workspaceId", message_id as "messageId", channel_id as "channelId", position, provider_id as "providerId", payload
     from message_parts where workspace_id = $1 and message_id = $2 and channel_id = $3 order by position`,
    [workspaceId, messageId, channelId],
  );
  const gap = result.rows.findIndex(({ position }, n) => position !== n);
  return gap === -1 ? result.rows : result.rows.slice(0, gap);
}

/**
 * Writes down that the provider has a part; one that is known already stays. False when there is no such message. Takes the
 * message's row, so that of this and parking it one sees the other.
 */
export async function keepPart(client: Client, part: MessagePart): Promise<boolean> {
  const result = await client.query(
    `insert into message_parts (workspace_id, message_id, channel_id, position, provider_id, payload)
     select workspace_id, id, channel_id, $4, $5, $6::jsonb from messages where workspace_id = $1 and id = $2 and channel_id = $3
     for no key update
     on conflict (workspace_id, message_id, channel_id, position) do update
       set payload = coalesce(message_parts.payload, excluded.payload)`,
    [
      part.workspaceId,
      part.messageId,
      part.channelId,
      part.position,
      part.providerId,
      part.payload === null || part.payload === undefined ? null : toJson(part.payload),
    ],
  );
  return (result.rowCount ?? 0) > 0;
}

/** Which of these ids of a channel's provider belong to messages of ours, or to parts of them. */
export async function knownProviderIds(
  client: Client,
  { workspaceId, channelId }: { workspaceId: string; channelId: string },
  providerIds: string[],
): Promise<Set<string>> {
  const result = await client.query<{ id: string }>(
    `select provider_id as id from messages where workspace_id = $1 and channel_id = $2 and provider_id = any($3)
     union all select provider_id from message_parts where workspace_id = $1 and channel_id = $2 and provider_id = any($3)`,
    [workspaceId, channelId, providerIds],
  );
  return new Set(result.rows.map(({ id }) => id));
}

/**
 * A message that was without an answer turns out to have got as far as a part: the rest may be sent. Gives where it
 * belongs; undefined when it was not without an answer.
 */
export async function goOn(
  client: Client,
  { workspaceId, messageId }: Omit<PartKey, 'channelId'>,
): Promise<{ channelId: string; conversationId: string; contactId: string } | undefined> {
  const parked = await client.query<{ options: OutboxOptions; channelId: string; conversationId: string; contactId: string }>(
    `select u.options, m.channel_id as "channelId", m.conversation_id as "conversationId", m.contact_id as "contactId" from unsettled u
     join messages m on m.workspace_id = u.workspace_id and m.id = u.message_id
     where u.workspace_id = $1 and u.message_id = $2 for update of u`,
    [workspaceId, messageId],
  );
  const [found] = parked.rows;
  if (!found || !(await unpark(client, workspaceId, messageId))) return undefined;
  const { options, ...place } = found;
  await enqueue(client, { workspaceId, messageId, runAt: null, options, ...place });
  await client.query(`select pg_notify('patchbay_outbox', '')`);
  return place;
}
