-- What was handed over of messages that take several calls (a picture and its words, where the provider carries no
-- captions): what comes next, and what echoes, answers and reactions are about. The last call's id is the message's own.
create table message_parts (
  workspace_id uuid not null,
  message_id uuid not null,
  channel_id uuid not null,
  position smallint not null,
  provider_id text not null,
  payload jsonb,
  created_at timestamptz not null default now(),
  primary key (workspace_id, message_id, channel_id, position),
  foreign key (workspace_id, message_id) references messages (workspace_id, id) on delete cascade
);
create index message_parts_by_provider_id on message_parts (workspace_id, channel_id, provider_id);

-- Until when somebody has got, or seen, all that was sent: providers may tell it before the message or the contact is known.
create table watermarks (
  workspace_id uuid not null,
  channel_id uuid not null,
  address text not null,
  -- delivered, read
  state text not null,
  at timestamptz not null,
  primary key (workspace_id, channel_id, address, state),
  foreign key (workspace_id, channel_id) references channels (workspace_id, id) on delete cascade
);

-- When the provider said what about an account last: {"status": {"order", "reason"}, "<detail>": {"order"}}.
alter table channels add column told jsonb not null default '{}';
