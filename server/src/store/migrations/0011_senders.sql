-- What an address wanted and when, newest last: who writes to people must be able to show it.
alter table consents add column history jsonb not null default '[]';
