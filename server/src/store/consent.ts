import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface Consent {
  workspaceId: string;
  channelId: string;
  kind: string;
  value: string;
  wants: boolean;
  /** What they wrote. */
  keyword: string | null;
  /** Who told: the contact, the provider, or one of our callers by its key. */
  by: ConsentTeller;
  at: Date;
}

export type ConsentTeller = 'contact' | 'provider' | { key: string; name: string };

/** One change of mind, as it is kept for those who have to show it. */
export interface ConsentChange {
  wants: boolean;
  keyword: string | null;
  by: ConsentTeller;
  at: string;
}

/** Records what the address wants; an older word that comes late changes nothing. True when something changed. */
export async function setConsent(client: Client, consent: Consent): Promise<boolean> {
  const { wants, keyword, by, at } = consent;
  const change: ConsentChange = { wants, keyword, by, at: at.toISOString() };
  const result = await client.query<{ changed: boolean }>(
    `with before as (select wants from consents where workspace_id = $1 and channel_id = $2 and kind = $3 and value = $4),
     done as (
       insert into consents (workspace_id, channel_id, kind, value, wants, keyword, at, history) values ($1, $2, $3, $4, $5, $6, $7, jsonb_build_array($8::jsonb))
       on conflict (workspace_id, channel_id, kind, value) do update set wants = excluded.wants, keyword = excluded.keyword, at = excluded.at,
         history = case when consents.wants = excluded.wants then consents.history
           else case when jsonb_array_length(consents.history) >= ${LONGEST_HISTORY} then consents.history - 0 else consents.history end || excluded.history end
       where consents.at <= excluded.at
       returning 1)
     select exists (select 1 from done) and (select wants from before) is distinct from $5 as changed`,
    [consent.workspaceId, consent.channelId, consent.kind, consent.value, wants, keyword, at, toJson(change)],
  );
  return result.rows[0]!.changed;
}

/** Somebody who writes STOP and START all day fills nothing. */
const LONGEST_HISTORY = 100;

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
  history: ConsentChange[];
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
    `select kind, value, keyword, at, history from consents where workspace_id = $1 and channel_id = $2 and not wants
       and ($3::text is null or (value, kind) ${page.backwards ? '<' : '>'} ($3, $4::text))
     order by value ${order}, kind ${order} limit $5`,
    [workspaceId, channelId, page.after?.value ?? null, page.after?.kind ?? null, page.limit],
  );
  return result.rows;
}

/** The addresses with this value that asked the channel not to write; an address can be of several kinds. */
export async function optOutsOf(client: Client, workspaceId: string, channelId: string, value: string): Promise<OptOut[]> {
  const result = await client.query<OptOut>(
    `select kind, value, keyword, at, history from consents
     where workspace_id = $1 and channel_id = $2 and value = $3 and not wants for update`,
    [workspaceId, channelId, value],
  );
  return result.rows;
}
