-- What comes round, what is held back, and how a wiped queue is noticed.

-- Every kind of job that a process has ever known, and when one last did.
create table jobs.kind (
  name text not null,
  version integer not null,
  known_at timestamptz not null default now(),
  primary key (name, version)
);

-- Only queues that somebody paused have a row that matters.
create table jobs.queue (
  name text primary key,
  paused_at timestamptz
);

create table jobs.schedule (
  name text primary key,
  cron text not null,
  zone text not null,
  -- Advanced by compare-and-set in the transaction that inserts the job: a slot runs once.
  next_slot timestamptz not null,
  last_slot timestamptz
);

-- The queue's store carries the same value. When it does not, it lost its data.
create table jobs.epoch (
  single boolean primary key default true check (single),
  value uuid not null,
  since timestamptz not null default now()
);

-- Parked: no living process has known the job for a minute. It runs when one does.
alter table jobs.job drop constraint job_state_check;
alter table jobs.job add constraint job_state_check
  check (state in ('pending', 'dispatched', 'done', 'dead', 'cancelled', 'parked'));
create index job_parked on jobs.job (name, version) where state = 'parked';

grant select, insert, update, delete on jobs.kind, jobs.queue, jobs.schedule, jobs.epoch to ballast_dispatcher;
