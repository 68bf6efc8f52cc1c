/** Subscriptions of outgoing webhooks. Their deliveries: webhook-deliveries.ts. */
import type { Client } from './database.ts';
import { toJson } from './json.ts';
import type { Sealed } from './vault.ts';

export type WebhookSurface = 'airy' | 'aurion' | 'workspaces';
export type WebhookStatus = 'active' | 'inactive' | 'disabled';

/** Every filter must hold. */
export interface WebhookFilter {
  key: string;
  value: string;
}

export interface SubscriptionRow {
  workspaceId: string;
  id: string;
  surface: WebhookSurface;
  name: string | null;
  url: string;
  service: string | null;
  events: string[];
  filters: WebhookFilter[];
  secrets: Buffer;
  secretsKeyId: string;
  sandbox: boolean;
  status: WebhookStatus;
  statusReason: string | null;
  cursor: number;
  createdAt: Date;
  updatedAt: Date;
}

const COLUMNS = `s.workspace_id as "workspaceId", s.id, s.surface, s.name, s.url, s.service, s.events, s.filters, s.secrets,
  s.secrets_key_id as "secretsKeyId", s.sandbox, s.status, s.status_reason as "statusReason", s.cursor, s.created_at as "createdAt",
  s.updated_at as "updatedAt"`;

export interface NewSubscription {
  workspaceId: string;
  id: string;
  surface: WebhookSurface;
  name: string | null;
  url: string;
  service: string | null;
  events: string[];
  filters: WebhookFilter[];
  secrets: Sealed;
  sandbox: boolean;
}

/** Adds a subscription that hears what happens from now on; undefined when the id is taken. */
export async function insertSubscription(client: Client, row: NewSubscription): Promise<SubscriptionRow | undefined> {
  const result = await client.query<SubscriptionRow>(
    `insert into webhook_subscriptions as s
       (workspace_id, id, surface, name, url, service, events, filters, secrets, secrets_key_id, sandbox, cursor)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, w.event_seq from workspaces w where w.workspace_id = $1
     on conflict do nothing returning ${COLUMNS}`,
    [
      row.workspaceId,
      row.id,
      row.surface,
      row.name,
      row.url,
      row.service,
      row.events,
      toJson(row.filters),
      row.secrets.data,
      row.secrets.keyId,
      row.sandbox,
    ],
  );
  return result.rows[0];
}

export interface SubscriptionChange {
  name?: string | null;
  url?: string;
  events?: string[];
  filters?: WebhookFilter[];
  secrets?: Sealed;
  status?: 'active' | 'inactive';
}

/**
 * Changes what is given. Pausing drops what waits, and going on after it begins with what happens then; one that we
 * disabled goes on where it was.
 */
export async function changeSubscription(
  client: Client,
  workspaceId: string,
  id: string,
  change: SubscriptionChange,
): Promise<SubscriptionRow | undefined> {
  const result = await client.query<SubscriptionRow>(
    `update webhook_subscriptions s set
       name = case when $3 then $4 else s.name end, url = coalesce($5, s.url), events = coalesce($6::text[], s.events),
       filters = coalesce($7::jsonb, s.filters), secrets = coalesce($8::bytea, s.secrets), secrets_key_id = coalesce($9, s.secrets_key_id),
       status = coalesce($10, s.status), status_reason = case when $10::text is null then s.status_reason end,
       cursor = case when $10 = 'active' and s.status = 'inactive' then w.event_seq else s.cursor end, updated_at = now()
     from workspaces w where w.workspace_id = s.workspace_id and s.workspace_id = $1 and s.id = $2
     returning ${COLUMNS}`,
    [
      workspaceId,
      id,
      change.name !== undefined,
      change.name ?? null,
      change.url ?? null,
      change.events ?? null,
      change.filters ? toJson(change.filters) : null,
      change.secrets?.data ?? null,
      change.secrets?.keyId ?? null,
      change.status ?? null,
    ],
  );
  if (result.rows[0]?.status === 'inactive')
    await client.query(`delete from webhook_deliveries where workspace_id = $1 and subscription_id = $2 and state = 'waiting'`, [
      workspaceId,
      id,
    ]);
  return result.rows[0];
}

export async function deleteSubscription(client: Client, workspaceId: string, surface: WebhookSurface, id: string): Promise<boolean> {
  const result = await client.query('delete from webhook_subscriptions where workspace_id = $1 and surface = $2 and id = $3', [
    workspaceId,
    surface,
    id,
  ]);
  return result.rowCount === 1;
}

/** The subscriptions of a surface, oldest first. */
export async function listSubscriptions(client: Client, workspaceId: string, surface: WebhookSurface): Promise<SubscriptionRow[]> {
  const result = await client.query<SubscriptionRow>(
    `select ${COLUMNS} from webhook_subscriptions s where s.workspace_id = $1 and s.surface = $2 order by s.created_at, s.id`,
    [workspaceId, surface],
  );
  return result.rows;
}

export async function getSubscription(
  client: Client,
  workspaceId: string,
  surface: WebhookSurface,
  id: string,
): Promise<SubscriptionRow | undefined> {
  const result = await client.query<SubscriptionRow>(
    `select ${COLUMNS} from webhook_subscriptions s where s.workspace_id = $1 and s.surface = $2 and s.id = $3`,
    [workspaceId, surface, id],
  );
  return result.rows[0];
}

/** Some of the active subscriptions for whom the log holds more than they were handed; whose turn it is changes. */
export async function subscriptionsBehind(client: Client, surfaces: string[], limit: number): Promise<SubscriptionRow[]> {
  const result = await client.query<SubscriptionRow>({
    name: 'webhooks-behind',
    text: `select ${COLUMNS} from webhook_subscriptions s join workspaces w on w.workspace_id = s.workspace_id
      where s.status = 'active' and s.surface = any($1) and s.cursor < w.event_seq order by random() limit $2`,
    values: [surfaces, limit],
  });
  return result.rows;
}

/**
 * Moves a cursor, unless somebody else did or the subscription ended: then nothing is to be handed over. Holds the
 * subscription's row until the transaction ends.
 */
export async function moveCursor(client: Client, row: SubscriptionRow, cursor: number): Promise<boolean> {
  const result = await client.query(
    `update webhook_subscriptions set cursor = $4 where workspace_id = $1 and id = $2 and cursor = $3 and status = 'active'`,
    [row.workspaceId, row.id, row.cursor, cursor],
  );
  return result.rowCount === 1;
}

export async function disableSubscription(client: Client, workspaceId: string, id: string, reason: string): Promise<void> {
  await client.query(
    `update webhook_subscriptions set status = 'disabled', status_reason = $3, updated_at = now()
     where workspace_id = $1 and id = $2 and status = 'active'`,
    [workspaceId, id, reason],
  );
}
