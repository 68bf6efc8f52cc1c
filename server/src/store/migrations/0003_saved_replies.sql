-- Texts that agents insert on any channel; {{variables}} are filled in when they are used.
create table saved_replies (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  title text not null,
  category text,
  body text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
