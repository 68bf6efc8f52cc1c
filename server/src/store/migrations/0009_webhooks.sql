-- Who outside is told of what happens, and how far in the event log each of them is.
create table webhook_subscriptions (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  -- Whose contract it speaks: airy, aurion, workspaces.
  surface text not null,
  name text,
  url text not null,
  service text,
  -- Names as the surface gives them; none: all of them.
  events text[] not null default '{}',
  filters jsonb not null default '[]',
  -- The signing key and the extra headers, sealed.
  secrets bytea not null,
  secrets_key_id text not null,
  -- Made with a test key: hears of sandbox channels only.
  sandbox boolean not null default false,
  -- active; inactive: paused by its owner; disabled: by us, since it answered 410 or nothing good for days
  status text not null default 'active',
  status_reason text,
  -- The last event of the log that was handed to it.
  cursor bigint not null,
  last_success_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

create table webhook_deliveries (
  workspace_id uuid not null,
  id uuid not null,
  subscription_id uuid not null,
  event_seq bigint not null,
  -- Among those that one event of the log gave.
  position smallint not null default 0,
  event text not null,
  -- What keeps its order: a conversation, else a channel.
  lane uuid not null,
  body text not null,
  -- waiting, succeeded, failed (answered 410), dead (every attempt failed)
  state text not null default 'waiting',
  attempts integer not null default 0,
  -- Null while another one of its lane is before it.
  run_at timestamptz,
  leased_until timestamptz,
  last_status integer,
  last_error text,
  -- Every attempt: [{at, status, error}].
  history jsonb not null default '[]',
  created_at timestamptz not null default now(),
  done_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, subscription_id) references webhook_subscriptions on delete cascade
);
create index webhook_deliveries_due on webhook_deliveries (workspace_id, subscription_id, run_at)
  where state = 'waiting' and run_at is not null;
create index webhook_deliveries_lane on webhook_deliveries (workspace_id, subscription_id, lane, event_seq, position) where state = 'waiting';
create index webhook_deliveries_log on webhook_deliveries (workspace_id, subscription_id, created_at, id);
create index webhook_deliveries_done on webhook_deliveries (done_at) where done_at is not null;
