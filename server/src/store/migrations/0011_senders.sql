-- What an address wanted and when, newest last: who writes to people must be able to show it.
alter table consents add column history jsonb not null default '[]';

-- Sources of somebody's own (Airy's Sources API). The token is what the source's program calls with and what signs our
-- calls to it; each of the source's channels has it, sealed, as its secret.
create table custom_sources (
  workspace_id uuid not null references workspaces,
  source_id text not null,
  name text,
  image_url text,
  action_endpoint text,
  token_hash bytea not null,
  -- Made with a test key: its channels are stand-ins.
  sandbox boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, source_id)
);
create index custom_sources_token on custom_sources (token_hash);
