-- Made with a test key: seen by test keys, and never used for what is real.
alter table integrations add column sandbox boolean not null default false;
alter table email_domains add column sandbox boolean not null default false;
alter table phone_numbers add column sandbox boolean not null default false;
