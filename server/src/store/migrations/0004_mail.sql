-- What mails and other threaded sources need beyond the base.

-- Ids that stored messages name (In-Reply-To, References): they tie a thread also when we never saw the message itself.
create table thread_refs (
  workspace_id uuid not null,
  channel_id uuid not null,
  ref text not null,
  conversation_id uuid not null,
  primary key (workspace_id, channel_id, ref, conversation_id),
  foreign key (workspace_id, conversation_id) references conversations (workspace_id, id) on delete cascade
);
create index thread_refs_conversation on thread_refs (workspace_id, conversation_id);

-- The time of the message that thread_data came from: an older one that arrives late does not replace it.
alter table conversations add column thread_data_at timestamptz;
create index conversations_guess on conversations (workspace_id, channel_id, contact_id, (thread_data ->> 'guess'))
  where thread_data ? 'guess';

-- The raw event that a message's files are cut out of; kept as long as the message.
alter table messages add column raw_event_id uuid;
create index messages_raw_event on messages (workspace_id, raw_event_id) where raw_event_id is not null;

-- The newest change of each kind (reaction, edit, revoke): an older one that arrives late changes nothing.
alter table messages add column changes jsonb not null default '{}';

-- Which node listens to a channel that is asked rather than told. One whose time is over may be taken by another node.
create table receive_leases (
  workspace_id uuid not null,
  channel_id uuid not null,
  node uuid not null,
  leased_until timestamptz not null,
  primary key (workspace_id, channel_id),
  foreign key (workspace_id, channel_id) references channels (workspace_id, id) on delete cascade
);

-- How far a channel has been read.
create table receive_cursors (
  workspace_id uuid not null,
  channel_id uuid not null,
  value jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (workspace_id, channel_id),
  foreign key (workspace_id, channel_id) references channels (workspace_id, id) on delete cascade
);
