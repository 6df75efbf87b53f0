-- When the beat before had been answered, by Postgres' clock: what the process opened until then is in its list, or has
-- ended. A beat's own date says less: its list may be older, by as long as it waited for a connection.
alter table jobs.process add column listed_at timestamptz;
