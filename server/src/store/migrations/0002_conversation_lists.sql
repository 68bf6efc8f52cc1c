-- The inbox asks for the newest conversations that are unread, of one channel, or in one state.
create index conversations_unread on conversations (workspace_id, last_message_at desc, id desc) where unread_count > 0;
create index conversations_in_channel on conversations (workspace_id, channel_id, last_message_at desc, id desc);
create index conversations_state on conversations (workspace_id, state, last_message_at desc, id desc) where state is not null;
-- A widget knows nothing but its channel's id.
create index channels_id on channels (id);
