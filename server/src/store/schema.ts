/** The tables as `migrations/*.sql` leave them, for Kysely. Every table's keys start with the workspace. */
import type { ColumnType, Generated } from 'kysely';
import type { ChannelStatus } from '../model/channel.ts';
import type { Content } from '../model/content.ts';
import type { Direction, MessageState } from '../model/message.ts';

/**
 * A jsonb column. Objects are written as they are; arrays and bare values as JSON text, since the driver takes an
 * array for one of PostgreSQL's own.
 */
export type Json<T> = ColumnType<T, T | string, T | string>;
/** A jsonb column with a default. */
export type DefaultJson<T> = ColumnType<T, T | string | undefined, T | string>;

export type JsonObject = Record<string, unknown>;

export interface WorkspacesTable {
  workspace_id: string;
  name: string;
  event_seq: Generated<number>;
  created_at: Generated<Date>;
}

export interface ApiKeysTable {
  workspace_id: string;
  id: string;
  name: string;
  prefix: string;
  hash: Buffer;
  scopes: string[];
  sandbox: boolean;
  created_at: Generated<Date>;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export interface ChannelsTable {
  workspace_id: string;
  id: string;
  source: string;
  source_channel_id: string;
  name: string;
  image_url: string | null;
  status: ChannelStatus;
  status_reason: string | null;
  sandbox: Generated<boolean>;
  settings: DefaultJson<JsonObject>;
  credentials: Buffer | null;
  credentials_key_id: string | null;
  details: DefaultJson<JsonObject>;
  metadata: DefaultJson<JsonObject>;
  account: string;
  last_in_at: Date | null;
  last_out_at: Date | null;
  last_error: Json<JsonObject | null>;
  health: Json<JsonObject | null>;
  health_at: Date | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  deleted_at: Date | null;
}

export type RawEventState = 'waiting' | 'applied' | 'ignored' | 'unrouted' | 'failed';

export interface RawEventsTable {
  workspace_id: string;
  id: string;
  source: string;
  source_channel_id: string | null;
  content_type: string;
  body: Buffer;
  state: RawEventState;
  error: string | null;
  attempts: Generated<number>;
  received_at: Generated<Date>;
  applied_at: Date | null;
}

export interface ContactsTable {
  workspace_id: string;
  id: string;
  display_name: string | null;
  avatar_url: string | null;
  attributes: DefaultJson<JsonObject>;
  metadata: DefaultJson<JsonObject>;
  profile_state: string | null;
  merged_into: string | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface IdentitiesTable {
  workspace_id: string;
  kind: string;
  scope: Generated<string>;
  value: string;
  contact_id: string;
  created_at: Generated<Date>;
}

export interface ConversationsTable {
  workspace_id: string;
  id: string;
  channel_id: string;
  contact_id: string;
  thread_key: Generated<string>;
  thread_data: DefaultJson<JsonObject>;
  subject: string | null;
  status: Generated<string>;
  tags: Generated<string[]>;
  unread_count: Generated<number>;
  metadata: DefaultJson<JsonObject>;
  last_message_id: string | null;
  last_message_at: Date | null;
  last_inbound_at: Date | null;
  window_expires_at: Date | null;
  read_at: Date | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface MessagesTable {
  workspace_id: string;
  id: string;
  channel_id: string;
  conversation_id: string;
  contact_id: string;
  source: string;
  direction: Direction;
  provider_id: string | null;
  state: MessageState;
  content: Json<Content>;
  payload: ColumnType<unknown, string | object | null | undefined, string | object | null>;
  sender_id: string | null;
  sender_name: string | null;
  reply_to: string | null;
  error: Json<JsonObject | null>;
  metadata: DefaultJson<JsonObject>;
  sent_at: Date;
  state_at: Generated<Date>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface OutboxTable {
  workspace_id: string;
  message_id: string;
  channel_id: string;
  conversation_id: string;
  run_at: Generated<Date>;
  attempts: Generated<number>;
  leased_until: Date | null;
  call_started_at: Date | null;
  options: DefaultJson<JsonObject>;
}

export interface EarlyReceiptsTable {
  workspace_id: string;
  channel_id: string;
  provider_id: string;
  event_key: string;
  event: Json<JsonObject>;
  received_at: Generated<Date>;
}

export interface EventsTable {
  workspace_id: string;
  seq: number;
  type: string;
  channel_id: string | null;
  conversation_id: string | null;
  contact_id: string | null;
  message_id: string | null;
  data: DefaultJson<JsonObject>;
  created_at: Generated<Date>;
}

export type MediaState = 'ready' | 'waiting' | 'failed';

export interface MediaTable {
  workspace_id: string;
  id: string;
  state: MediaState;
  sha256: string | null;
  mime_type: string | null;
  size: number | null;
  filename: string | null;
  channel_id: string | null;
  message_id: string | null;
  provider_ref: Json<JsonObject | null>;
  error: string | null;
  attempts: Generated<number>;
  run_at: Date | null;
  created_at: Generated<Date>;
}

export interface TagsTable {
  workspace_id: string;
  id: string;
  name: string;
  color: string;
  created_at: Generated<Date>;
}

export interface MessageTemplatesTable {
  workspace_id: string;
  id: string;
  name: string;
  source: string;
  content: Json<JsonObject>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface UsersTable {
  workspace_id: string;
  id: string;
  name: string;
  avatar_url: string | null;
  first_seen_at: Generated<Date>;
  last_seen_at: Generated<Date>;
}

export interface IdempotencyKeysTable {
  workspace_id: string;
  key: string;
  fingerprint: Buffer;
  status: number | null;
  response: Json<JsonObject | null>;
  created_at: Generated<Date>;
}

export interface MemosTable {
  workspace_id: string;
  channel_id: string;
  key: string;
  value: Buffer;
  expires_at: Date;
}

export interface Schema {
  workspaces: WorkspacesTable;
  api_keys: ApiKeysTable;
  channels: ChannelsTable;
  raw_events: RawEventsTable;
  contacts: ContactsTable;
  identities: IdentitiesTable;
  conversations: ConversationsTable;
  messages: MessagesTable;
  outbox: OutboxTable;
  early_receipts: EarlyReceiptsTable;
  events: EventsTable;
  media: MediaTable;
  tags: TagsTable;
  message_templates: MessageTemplatesTable;
  users: UsersTable;
  idempotency_keys: IdempotencyKeysTable;
  memos: MemosTable;
}
