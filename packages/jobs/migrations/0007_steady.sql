-- Since when the process has said "I am here" without a gap. While nobody has for as long as
-- silence takes to mean death, it is Postgres that was away, and not those who could not say so.
alter table jobs.process add column steady_since timestamptz not null default now();
