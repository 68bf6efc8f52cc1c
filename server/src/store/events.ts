import type { LogEvent } from '../model/event.ts';
import type { Client } from './database.ts';

const COLUMNS = `workspace_id as "workspaceId", seq, type, channel_id as "channelId", conversation_id as "conversationId",
  contact_id as "contactId", message_id as "messageId", data, created_at as "createdAt"`;

/** The events of a workspace after `seq`, in commit order. */
export async function eventsAfter(client: Client, workspaceId: string, seq: number, limit: number): Promise<LogEvent[]> {
  const result = await client.query<LogEvent>({
    name: 'events-after',
    text: `select ${COLUMNS} from events where workspace_id = $1 and seq > $2 order by seq limit $3`,
    values: [workspaceId, seq, limit],
  });
  return result.rows;
}

/** As `eventsAfter`, of channels that were made with test keys. */
export async function sandboxEventsAfter(client: Client, workspaceId: string, seq: number, limit: number): Promise<LogEvent[]> {
  const result = await client.query<LogEvent>(
    `select ${COLUMNS} from events where workspace_id = $1 and seq > $2
       and channel_id in (select h.id from channels h where h.workspace_id = $1 and h.sandbox)
     order by seq limit $3`,
    [workspaceId, seq, limit],
  );
  return result.rows;
}

/** The events of one conversation after `seq`, in commit order. */
export async function conversationEventsAfter(
  client: Client,
  workspaceId: string,
  conversationId: string,
  seq: number,
  limit: number,
): Promise<LogEvent[]> {
  const result = await client.query<LogEvent>(
    `select ${COLUMNS} from events where workspace_id = $1 and conversation_id = $2 and seq > $3 order by seq limit $4`,
    [workspaceId, conversationId, seq, limit],
  );
  return result.rows;
}

/** The number of the newest committed event; 0 when there is none. */
export async function newestSeq(client: Client, workspaceId: string): Promise<number> {
  const result = await client.query<{ seq: number }>('select event_seq as seq from workspaces where workspace_id = $1', [workspaceId]);
  return result.rows[0]?.seq ?? 0;
}
