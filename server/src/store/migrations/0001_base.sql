-- Every key starts with workspace_id, so that the tables can be distributed by workspace.

create table workspaces (
  workspace_id uuid primary key,
  name text not null,
  -- Number of the newest event. The row stays locked from the moment a transaction takes numbers until it commits, so
  -- numbers appear in commit order and a reader that follows them misses nothing.
  event_seq bigint not null default 0,
  created_at timestamptz not null default now()
);

create table api_keys (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  name text not null,
  -- The first characters, so that people can tell keys apart.
  prefix text not null,
  hash bytea not null,
  scopes text[] not null,
  sandbox boolean not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  revoked_at timestamptz,
  primary key (workspace_id, id)
);
create index api_keys_hash on api_keys (hash);

create table channels (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  source text not null,
  source_channel_id text not null,
  name text not null,
  image_url text,
  status text not null,
  status_reason text,
  sandbox boolean not null default false,
  settings jsonb not null default '{}',
  -- AES-256-GCM; null when disconnected or when the source needs none.
  credentials bytea,
  credentials_key_id text,
  details jsonb not null default '{}',
  metadata jsonb not null default '{}',
  -- The provider account it shares a subscription and templates with (page id, WABA id).
  account text not null,
  last_in_at timestamptz,
  last_out_at timestamptz,
  last_error jsonb,
  health jsonb,
  health_at timestamptz,
  templates_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, id),
  unique (workspace_id, source, source_channel_id)
);
create index channels_routing on channels (source, source_channel_id);
create index channels_account on channels (source, account);

-- What providers said, as they said it: written before they get their 200.
create table raw_events (
  workspace_id uuid not null,
  id uuid not null,
  source text not null,
  source_channel_id text,
  content_type text not null,
  body bytea not null,
  -- waiting: to be applied; applied; ignored: nothing to do; unrouted: no channel of ours; failed: could not be read or applied
  state text not null,
  error text,
  attempts integer not null default 0,
  received_at timestamptz not null default now(),
  applied_at timestamptz,
  primary key (workspace_id, id)
);
create index raw_events_open on raw_events (workspace_id, state, id) where state in ('waiting', 'unrouted', 'failed');

create table contacts (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  display_name text,
  avatar_url text,
  -- Profile fields: title, gender, timezone, locale, organization_name, via, address, …
  attributes jsonb not null default '{}',
  metadata jsonb not null default '{}',
  profile_state text,
  merged_into uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index contacts_name on contacts (workspace_id, display_name, id);

create table identities (
  workspace_id uuid not null references workspaces,
  kind text not null,
  -- The source channel id for addresses that mean something on one channel only (page-scoped ids), else ''.
  scope text not null default '',
  value text not null,
  contact_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, kind, scope, value),
  foreign key (workspace_id, contact_id) references contacts
);
create index identities_contact on identities (workspace_id, contact_id);

create table conversations (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  channel_id uuid not null,
  contact_id uuid not null,
  -- '' where a contact has one conversation with a channel; a mail thread's key otherwise.
  thread_key text not null default '',
  thread_data jsonb not null default '{}',
  subject text,
  -- OPEN, CLOSED or a word of the user's own; null until somebody sets it, which counts as open.
  state text,
  tags text[] not null default '{}',
  unread_count integer not null default 0,
  metadata jsonb not null default '{}',
  last_message_id uuid,
  last_message_at timestamptz,
  -- The provider's time of the contact's newest message: the service window counts from it.
  last_inbound_at timestamptz,
  window_expires_at timestamptz,
  read_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  -- Contact first: it also finds a contact's conversations. Every index here costs each new message a write.
  unique (workspace_id, contact_id, channel_id, thread_key),
  foreign key (workspace_id, channel_id) references channels,
  foreign key (workspace_id, contact_id) references contacts
);
create index conversations_recent on conversations (workspace_id, last_message_at desc, id desc);
create index conversations_tags on conversations using gin (tags) where tags <> '{}';

create table messages (
  workspace_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  conversation_id uuid not null,
  contact_id uuid not null,
  source text not null,
  direction text not null,
  provider_id text,
  state text not null,
  content jsonb not null,
  payload jsonb,
  sender_id text,
  sender_name text,
  reply_to uuid,
  error jsonb,
  metadata jsonb not null default '{}',
  sent_at timestamptz not null,
  state_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create unique index messages_provider_id on messages (workspace_id, channel_id, provider_id) where provider_id is not null;
create index messages_in_conversation on messages (workspace_id, conversation_id, sent_at desc, id desc);
create index messages_in_channel on messages (workspace_id, channel_id, id desc);

-- Messages to be handed to their providers. A lane (conversation) is worked on by one worker at a time, in order of id.
create table outbox (
  workspace_id uuid not null,
  message_id uuid not null,
  channel_id uuid not null,
  conversation_id uuid not null,
  run_at timestamptz not null default now(),
  attempts integer not null default 0,
  -- Set while a worker holds it; past means that the worker died.
  leased_until timestamptz,
  -- The provider call was begun: after a crash the outcome is unknown.
  call_started_at timestamptz,
  options jsonb not null default '{}',
  primary key (workspace_id, message_id),
  foreign key (workspace_id, message_id) references messages (workspace_id, id) on delete cascade
);
create index outbox_due on outbox (run_at);
create index outbox_lane on outbox (workspace_id, conversation_id, message_id);

-- Receipts and reactions that came before the message they are about.
create table early_receipts (
  workspace_id uuid not null,
  channel_id uuid not null,
  provider_id text not null,
  event_key text not null,
  event jsonb not null,
  received_at timestamptz not null default now(),
  primary key (workspace_id, channel_id, provider_id, event_key)
);

-- What happened, in the order in which it was committed.
create table events (
  workspace_id uuid not null,
  seq bigint not null,
  type text not null,
  -- What it is about; data holds only what changed, readers load the rest.
  channel_id uuid,
  conversation_id uuid,
  contact_id uuid,
  message_id uuid,
  data jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (workspace_id, seq)
);
create index events_in_conversation on events (workspace_id, conversation_id, seq) where conversation_id is not null;

create table media (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  -- ready, or waiting (to be fetched), or failed
  state text not null,
  sha256 text,
  mime_type text,
  size bigint,
  filename text,
  channel_id uuid,
  message_id uuid,
  provider_ref jsonb,
  error text,
  attempts integer not null default 0,
  run_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index media_waiting on media (run_at) where state = 'waiting';
create index media_message on media (workspace_id, message_id);

create table tags (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  name text not null,
  color text not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

-- Reusable messages that agents insert, by source (the Airy surface's templates).
create table message_templates (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  name text not null,
  source text not null,
  content jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

-- Whoever writes through a surface: keys and people.
create table users (
  workspace_id uuid not null references workspaces,
  id text not null,
  name text not null,
  avatar_url text,
  first_seen_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

create table idempotency_keys (
  workspace_id uuid not null references workspaces,
  key text not null,
  fingerprint bytea not null,
  -- null while the first request is still running
  status integer,
  response jsonb,
  created_at timestamptz not null default now(),
  primary key (workspace_id, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

-- Small things that connectors keep for a while: uploaded media ids, access tokens (encrypted), pacing learned from a provider.
create table memos (
  workspace_id uuid not null,
  channel_id uuid not null,
  key text not null,
  value bytea not null,
  key_id text not null,
  expires_at timestamptz not null,
  primary key (workspace_id, channel_id, key)
);

create function state_rank(state text) returns integer language sql immutable parallel safe as $$
  select case state
    when 'scheduled' then 0 when 'pending' then 1 when 'unknown' then 2 when 'sent' then 3
    when 'failed' then 4 when 'delivered' then 5 when 'read' then 6 end
$$;

-- Who does not want to be written to; the newest word of the contact counts.
create table consents (
  workspace_id uuid not null,
  channel_id uuid not null,
  kind text not null,
  value text not null,
  wants boolean not null,
  keyword text,
  at timestamptz not null,
  primary key (workspace_id, channel_id, kind, value)
);

-- Templates as the provider has them, by the account that shares them. One that vanished there stays, marked DELETED.
create table provider_templates (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  source text not null,
  account text not null,
  name text not null,
  language text not null,
  status text not null,
  category text,
  quality text,
  rejected_reason text,
  provider_ref text,
  components jsonb not null default '[]',
  -- What changed and when: [{at, field, from, to, reason}]
  history jsonb not null default '[]',
  synced_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, source, account, name, language)
);

-- Disconnects that the provider could not be told of yet.
create table farewells (
  workspace_id uuid not null,
  channel_id uuid not null,
  source text not null,
  -- The sealed channel as it was, credentials included.
  channel bytea not null,
  key_id text not null,
  attempts integer not null default 0,
  run_at timestamptz not null,
  primary key (workspace_id, channel_id)
);
