-- Mail domains are looked at again and again: their records can vanish.

alter table email_domains
  -- When a process last took the domain to look at it.
  add column looked_at timestamptz,
  -- Since when a domain that was verified lacks its records; null while it has them.
  add column failing_since timestamptz;
