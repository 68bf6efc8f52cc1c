/** What providers' webhooks tell about accounts, in whatever order they come. */
import type { AccountEvent } from '../connectors/events.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';

interface Told {
  order: string;
  reason?: string | null;
}

interface Row {
  id: string;
  status: string;
  statusReason: string | null;
  told: Record<string, Told>;
}

/**
 * Merges what was told into the channels that are meant, unless something newer was told before (`order` says which is
 * newer). Answers the ids of the channels that changed. Good news end only what such news began: a broken token stays one.
 */
export async function applyAccountChange(
  client: Client,
  channel: { workspaceId: string; channelId: string; source: string },
  event: AccountEvent,
  order: string,
): Promise<string[]> {
  const { rows } = await client.query<Row>(
    `select id, status, status_reason as "statusReason", told from channels
     where workspace_id = $1 and status not in ('inactive', 'deleted')
       and case when $4::text is null then id = $2 else source = $3 and account = $4 end and ($5::text is null or details ->> $5 = $6)
     order by id for update`,
    [
      channel.workspaceId,
      channel.channelId,
      channel.source,
      event.account ?? null,
      event.account ? (event.where?.detail ?? null) : null,
      event.where?.value ?? null,
    ],
  );
  const changed: string[] = [];
  for (const row of rows) {
    const details = Object.entries(event.details ?? {}).filter(([name]) => (row.told[`detail ${name}`]?.order ?? '') < order);
    const status = event.status && (row.told.status?.order ?? '') < order ? statusAfter(row, event) : undefined;
    if (details.length === 0 && !status) continue;
    const told = {
      ...row.told,
      ...Object.fromEntries(details.map(([name]) => [`detail ${name}`, { order }])),
      ...(status ? { status: { order, reason: status.reason } } : {}),
    };
    await client.query(
      `update channels set details = details || $3::jsonb, status = $4, status_reason = $5, told = $6, updated_at = now()
       where workspace_id = $1 and id = $2`,
      [
        channel.workspaceId,
        row.id,
        toJson(Object.fromEntries(details)),
        status?.status ?? row.status,
        status ? status.reason : row.statusReason,
        toJson(told),
      ],
    );
    changed.push(row.id);
  }
  return changed;
}

function statusAfter(row: Row, event: AccountEvent): { status: string; reason: string | null } {
  const { status, reason = null } = event;
  if (status !== 'active') return { status: status!, reason };
  const wasTold = row.statusReason !== null && row.told.status?.reason === row.statusReason;
  return wasTold ? { status, reason: null } : { status: row.status, reason: row.statusReason };
}
