/** The one set of channels as the Votel surface sees it: mailboxes and SMS numbers, with what only that surface keeps. */
import type { ChannelStatus } from '../model/channel.ts';
import { notFound } from '../model/errors.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export type VotelType = 'email' | 'sms';

export interface VotelChannel {
  workspaceId: string;
  id: string;
  type: VotelType;
  name: string;
  /** The mail address, or the number. */
  identifier: string;
  status: ChannelStatus;
  statusReason: string | null;
  integrationId: string | null;
  emailDomainId: string | null;
  phoneNumberId: string | null;
  isDefault: boolean;
  metadata: Record<string, unknown>;
  sandbox: boolean;
  createdAt: Date;
  updatedAt: Date;
}

const FROM = `channels c left join votel_channels v on v.workspace_id = c.workspace_id and v.channel_id = c.id`;
const LISTED = `c.source in ('email', 'twilio.sms') and c.status <> 'deleted'`;
const COLUMNS = `c.workspace_id as "workspaceId", c.id, case c.source when 'email' then 'email' else 'sms' end as type, c.name,
  c.source_channel_id as identifier, c.status, c.status_reason as "statusReason", v.integration_id as "integrationId",
  v.email_domain_id as "emailDomainId", v.phone_number_id as "phoneNumberId", coalesce(v.is_default, false) as "isDefault",
  coalesce(v.metadata, '{}') as metadata, c.sandbox, c.created_at as "createdAt", c.updated_at as "updatedAt"`;

export async function getVotelChannel(client: Client, workspaceId: string, id: string): Promise<VotelChannel | undefined> {
  const result = await client.query<VotelChannel>(`select ${COLUMNS} from ${FROM} where c.workspace_id = $1 and c.id = $2 and ${LISTED}`, [
    workspaceId,
    id,
  ]);
  return result.rows[0];
}

export interface VotelFilter {
  type?: VotelType;
  statuses?: ChannelStatus[];
  search?: string;
  /** Exactly this address or number. */
  identifier?: string;
  phoneNumberId?: string;
  integrationId?: string;
  sandbox?: boolean;
}

/** The channel of an address or a number, whoever made it; undefined when there is none. */
export async function votelChannelOf(
  client: Client,
  workspaceId: string,
  type: VotelType,
  identifier: string,
): Promise<VotelChannel | undefined> {
  return (await listVotelChannels(client, workspaceId, { type, identifier }, { limit: 1, offset: 0 })).rows[0];
}

/** A page of channels, newest first, and how many there are. */
export async function listVotelChannels(
  client: Client,
  workspaceId: string,
  filter: VotelFilter,
  page: { limit: number; offset: number },
): Promise<{ rows: VotelChannel[]; total: number }> {
  const where = `c.workspace_id = $1 and ${LISTED} and ($2::text is null or c.source = $2) and ($3::text[] is null or c.status = any($3))
    and ($4::text is null or strpos(lower(c.name), lower($4)) > 0 or strpos(lower(c.source_channel_id), lower($4)) > 0)
    and ($5::text is null or c.source_channel_id = $5) and ($6::uuid is null or v.phone_number_id = $6)
    and ($7::uuid is null or v.integration_id = $7) and ($8::boolean is null or c.sandbox = $8)`;
  const values = [
    workspaceId,
    filter.type ? sourceOf(filter.type) : null,
    filter.statuses ?? null,
    filter.search || null,
    filter.identifier ?? null,
    filter.phoneNumberId ?? null,
    filter.integrationId ?? null,
    filter.sandbox ?? null,
  ];
  const count = await client.query<{ n: number }>(`select count(*)::integer as n from ${FROM} where ${where}`, values);
  const rows = await client.query<VotelChannel>(
    `select ${COLUMNS} from ${FROM} where ${where} order by c.created_at desc, c.id desc limit $9 offset $10`,
    [...values, page.limit, page.offset],
  );
  return { rows: rows.rows, total: count.rows[0]!.n };
}

export function sourceOf(type: VotelType): 'email' | 'twilio.sms' {
  return type === 'email' ? 'email' : 'twilio.sms';
}

export interface VotelFields {
  integrationId?: string | null;
  emailDomainId?: string | null;
  phoneNumberId?: string | null;
  isDefault?: boolean;
  metadata?: Record<string, unknown>;
}

/**
 * Keeps what the surface knows of a channel; what is not given stays. A new default takes the place of the old one: call
 * it in a transaction, in which the workspace's defaults of the type are locked. Throws `not-found` for a channel that was
 * deleted meanwhile.
 */
export async function keepVotelFields(
  client: Client,
  channel: { workspaceId: string; id: string; type: VotelType },
  fields: VotelFields,
): Promise<void> {
  const { workspaceId, id, type } = channel;
  // Two that become the default at once wait for each other here, and the later one wins.
  if (fields.isDefault)
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`votel default ${workspaceId} ${type}`]);
  // The channels' rows first, as a delete takes them: the one that changes, and the one that is the default no more.
  const touched = await client.query<{ id: string }>(
    `update channels set updated_at = now() where workspace_id = $1 and status <> 'deleted' and (id = $2 or $3 and id in (
       select channel_id from votel_channels where workspace_id = $1 and channel_type = $4 and is_default))
     returning id`,
    [workspaceId, id, fields.isDefault ?? false, type],
  );
  if (!touched.rows.some((row) => row.id === id)) throw notFound('Channel');
  if (fields.isDefault) {
    await client.query('update votel_channels set is_default = false where workspace_id = $1 and channel_type = $2 and is_default', [
      workspaceId,
      type,
    ]);
  }
  await client.query(
    `insert into votel_channels (workspace_id, channel_id, channel_type, integration_id, email_domain_id, phone_number_id, is_default, metadata)
     values ($1, $2, $3, $4, $5, $6, coalesce($7, false), coalesce($8::jsonb, '{}'))
     on conflict (workspace_id, channel_id) do update set
       integration_id = coalesce($4, votel_channels.integration_id), email_domain_id = coalesce($5, votel_channels.email_domain_id),
       phone_number_id = coalesce($6, votel_channels.phone_number_id), is_default = coalesce($7, votel_channels.is_default),
       metadata = coalesce($8::jsonb, votel_channels.metadata)`,
    [
      workspaceId,
      id,
      type,
      fields.integrationId ?? null,
      fields.emailDomainId ?? null,
      fields.phoneNumberId ?? null,
      fields.isDefault ?? null,
      fields.metadata ? toJson(fields.metadata) : null,
    ],
  );
}

/** Forgets what the surface knew of a channel: its number and its place as the default are free again. */
export async function forgetVotelFields(client: Client, workspaceId: string, channelId: string): Promise<void> {
  await client.query('delete from votel_channels where workspace_id = $1 and channel_id = $2', [workspaceId, channelId]);
}
