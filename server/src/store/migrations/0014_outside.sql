-- Kinds of channels that somebody else's program speaks for (Airy's Sources API).
create table own_sources (
  workspace_id uuid not null references workspaces,
  source_id text not null,
  name text,
  image_url text,
  -- Where its program takes the messages to send.
  action_endpoint text,
  -- SHA-256 of the token that its program shows.
  token_hash bytea not null,
  -- Made with a test key: its channels are of the sandbox.
  sandbox boolean not null default false,
  created_at timestamptz not null default now(),
  -- The row stays, so that its program is told why its token does not work any more.
  deleted_at timestamptz,
  primary key (workspace_id, source_id)
);
create index own_sources_token on own_sources (token_hash);
