/** A long history, made by the database itself: what takes hours to come in is there in seconds. */
import type { Database } from '../../server/src/store/database.ts';

const LONG_MS = 1_800_000;

/** `messages` messages of `conversations` people on the channel, the newest a minute ago. */
export async function seed(
  database: Database,
  where: { workspaceId: string; channelId: string },
  { messages, conversations }: { messages: number; conversations: number },
): Promise<void> {
  const { workspaceId, channelId } = where;
  const id = (kind: number, n: string) => `('01800000-0000-7${kind}00-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
  const sentAt = `now() - interval '1 minute' - (${messages} - n) * interval '10 seconds'`;
  const steps = [
    `insert into contacts (workspace_id, id, display_name)
     select $1, ${id(1, 'n')}, 'Customer ' || n from generate_series(0, ${conversations} - 1) n where $2::uuid is not null`,
    `insert into identities (workspace_id, kind, value, contact_id)
     select $1, 'phonenumber', '+' || (491700000000 + n), ${id(1, 'n')} from generate_series(0, ${conversations} - 1) n where $2::uuid is not null`,
    `insert into conversations (workspace_id, id, channel_id, contact_id)
     select $1, ${id(2, 'n')}, $2, ${id(1, 'n')} from generate_series(0, ${conversations} - 1) n`,
    `insert into messages (workspace_id, id, channel_id, conversation_id, contact_id, source, direction, provider_id, state, content, sent_at)
     select $1, ${id(3, 'n')}, $2, ${id(2, `n % ${conversations}`)}, ${id(1, `n % ${conversations}`)}, 'whatsapp', 'in', 'wamid.seed-' || n, 'received',
       jsonb_build_object('type', 'text', 'text', 'Does it come in another color? I would like to know for order ' || n || '.'), ${sentAt}
     from generate_series(1, ${messages}) n`,
    `analyze`,
    `update conversations c set last_message_id = m.id, last_message_at = m.sent_at, last_inbound_at = m.sent_at, unread_count = ${Math.ceil(messages / conversations)}
     from (select distinct on (conversation_id) conversation_id, id, sent_at from messages where workspace_id = $1 order by conversation_id, sent_at desc) m
     where c.workspace_id = $1 and c.channel_id = $2 and c.id = m.conversation_id`,
    `vacuum analyze`,
  ];
  const client = await database.pool.connect();
  try {
    for (const step of steps)
      await client.query({ text: step, values: step.includes('$1') ? [workspaceId, channelId] : [], query_timeout: LONG_MS } as {
        text: string;
      });
  } finally {
    client.release();
  }
}
