import type { Client } from './database.ts';

/** Records the contact's word; an older one that comes late changes nothing. */
export async function setConsent(
  client: Client,
  consent: { workspaceId: string; channelId: string; kind: string; value: string; wants: boolean; keyword: string | null; at: Date },
): Promise<void> {
  await client.query(
    `insert into consents (workspace_id, channel_id, kind, value, wants, keyword, at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (workspace_id, channel_id, kind, value) do update set wants = excluded.wants, keyword = excluded.keyword, at = excluded.at
     where consents.at <= excluded.at`,
    [consent.workspaceId, consent.channelId, consent.kind, consent.value, consent.wants, consent.keyword, consent.at],
  );
}

/** True when the address asked this channel not to write. */
export async function hasOptedOut(
  client: Client,
  workspaceId: string,
  channelId: string,
  addresses: { kind: string; value: string }[],
): Promise<boolean> {
  const result = await client.query(
    `select 1 from consents where workspace_id = $1 and channel_id = $2 and not wants
       and (kind, value) in (select * from unnest($3::text[], $4::text[])) limit 1`,
    [workspaceId, channelId, addresses.map((address) => address.kind), addresses.map((address) => address.value)],
  );
  return result.rows.length > 0;
}
