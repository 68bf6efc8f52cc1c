-- What the Votel surface keeps beside the one set of channels: provider accounts, mail domains, phone numbers.

create table integrations (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  name text not null,
  type text not null,
  -- email: aurion, microsoft, google, smtp; sms: twilio
  provider text not null,
  settings jsonb not null default '{}',
  -- AES-256-GCM; null when the account brings none of its own.
  credentials bytea,
  credentials_key_id text,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

create table email_domains (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  domain text not null,
  dkim_selector text not null,
  dkim_public text not null,
  dkim_private bytea not null,
  dkim_key_id text not null,
  -- The caller checked the domain elsewhere.
  trusted boolean not null default false,
  -- The newest look at each record: [{purpose, status, found, message}]
  checks jsonb not null default '[]',
  checked_at timestamptz,
  verified_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, domain)
);
create index email_domains_domain on email_domains (domain) where verified_at is not null;

create table phone_numbers (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  phone_number text not null,
  name text,
  integration_id uuid,
  -- The provider's id of the number, where its account was asked.
  provider_id text,
  capabilities jsonb not null default '{}',
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, phone_number),
  foreign key (workspace_id, integration_id) references integrations (workspace_id, id)
);

-- What a channel is on the Votel surface beyond what every channel is.
create table votel_channels (
  workspace_id uuid not null,
  channel_id uuid not null,
  channel_type text not null,
  integration_id uuid,
  email_domain_id uuid,
  phone_number_id uuid,
  is_default boolean not null default false,
  metadata jsonb not null default '{}',
  primary key (workspace_id, channel_id),
  foreign key (workspace_id, channel_id) references channels (workspace_id, id) on delete cascade
);
create unique index votel_channels_default on votel_channels (workspace_id, channel_type) where is_default;
