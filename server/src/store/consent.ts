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
  address: { kind: string; value: string },
): Promise<boolean> {
  const result = await client.query(
    'select 1 from consents where workspace_id = $1 and channel_id = $2 and kind = $3 and value = $4 and not wants',
    [workspaceId, channelId, address.kind, address.value],
  );
  return result.rows.length > 0;
}

/** Of these conversations, those whose contact asked the channel not to write: `<channel id> <contact id>`. */
export async function optedOutAcross(
  client: Client,
  conversations: { workspaceId: string; channelId: string; contactId: string }[],
): Promise<Set<string>> {
  if (conversations.length === 0) return new Set();
  const result = await client.query<{ key: string }>({
    name: 'opted-out-across',
    text: `select x.h::text || ' ' || x.c::text as key from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as x(w, h, c)
      where exists (select 1 from identities i join consents s on s.workspace_id = i.workspace_id and s.channel_id = x.h
        and s.kind = i.kind and s.value = i.value and not s.wants where i.workspace_id = x.w and i.contact_id = x.c)`,
    values: [
      conversations.map((row) => row.workspaceId),
      conversations.map((row) => row.channelId),
      conversations.map((row) => row.contactId),
    ],
  });
  return new Set(result.rows.map((row) => row.key));
}

export interface OptOut {
  kind: string;
  value: string;
  keyword: string | null;
  at: Date;
}

/** A page of the addresses that asked a channel not to write, in their order; `after` is the last of the page before. */
export async function listOptOuts(
  client: Client,
  workspaceId: string,
  channelId: string,
  page: { after?: { value: string; kind: string }; backwards?: boolean; limit: number },
): Promise<OptOut[]> {
  const order = page.backwards ? 'desc' : 'asc';
  const result = await client.query<OptOut>(
    `select kind, value, keyword, at from consents where workspace_id = $1 and channel_id = $2 and not wants
       and ($3::text is null or (value, kind) ${page.backwards ? '<' : '>'} ($3, $4::text))
     order by value ${order}, kind ${order} limit $5`,
    [workspaceId, channelId, page.after?.value ?? null, page.after?.kind ?? null, page.limit],
  );
  return result.rows;
}

/** The address may be written to again; gives the ones that had opted out. */
export async function clearOptOut(client: Client, workspaceId: string, channelId: string, value: string): Promise<OptOut[]> {
  const result = await client.query<OptOut>(
    `update consents set wants = true, keyword = null, at = now() where workspace_id = $1 and channel_id = $2 and value = $3 and not wants
     returning kind, value, keyword, at`,
    [workspaceId, channelId, value],
  );
  return result.rows;
}
