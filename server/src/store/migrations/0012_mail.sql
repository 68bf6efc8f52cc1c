-- Which raw event a file of the spool (the body of a large mail) belongs to: what none names is removed.
create index raw_events_spool on raw_events (substring(content_type from '; spool=([0-9a-f]{64})')) where content_type like '%; spool=%';
