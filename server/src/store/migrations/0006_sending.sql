-- A message for later does not hold up the ones that are written meanwhile.
alter table outbox add column scheduled boolean not null default false;
-- The claim looks at each channel's due messages by themselves, so that one channel's backlog is never in another's way.
create index outbox_in_channel on outbox (workspace_id, channel_id, run_at);

-- The provider wants nothing from this channel for a while, or did not let it in.
alter table channels add column paused_until timestamptz;
-- Up to when the provider's own list was compared with ours.
alter table channels add column reconciled_at timestamptz;

-- Messages whose provider call ended without an answer: the provider is asked again until it knows.
create table unsettled (
  workspace_id uuid not null,
  message_id uuid not null,
  called_at timestamptz not null,
  reason text not null,
  options jsonb not null default '{}',
  attempts integer not null default 0,
  run_at timestamptz not null,
  primary key (workspace_id, message_id),
  foreign key (workspace_id, message_id) references messages (workspace_id, id) on delete cascade
);
create index unsettled_due on unsettled (run_at);

-- Messages that go by another channel when one fails, or does not deliver in time.
create table fallbacks (
  workspace_id uuid not null,
  message_id uuid not null,
  -- The ways still left, next first: [{channelId, conversationId, contactId, content, timeoutSeconds}]
  steps jsonb not null,
  -- When the present way has had its time; null while it has no limit.
  run_at timestamptz,
  primary key (workspace_id, message_id),
  foreign key (workspace_id, message_id) references messages (workspace_id, id) on delete cascade
);
create index fallbacks_due on fallbacks (run_at);
