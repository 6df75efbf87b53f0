-- Postgres is the truth about work; the queue only carries packs that are about to run.
--
-- The tables are the state. A job's own row is inserted once and updated when it ends,
-- without touching an index. An open job is in exactly one place: `later` (its time has
-- not come), `due` (it waits), `pack` (handed out) or `aside` (parked or held). Every move
-- is one commit. Measured against one table with a state and four partial indexes: a
-- third of the time in Postgres.
create schema jobs;
grant usage on schema jobs to ballast_app, ballast_auth, ballast_dispatcher;

create table jobs.job (
  id uuid primary key,
  name text not null,
  version integer not null,
  queue text not null,
  tenant_id uuid,
  -- The line it waits in: the tenant's own, one for work without a tenant, and one for each limited kind of a tenant.
  lane uuid not null,
  -- Within its lane, the lowest first.
  priority smallint not null,
  state text not null default 'open' check (state in ('open', 'done', 'dead', 'cancelled')),
  attempt smallint not null default 0,
  attempts smallint not null check (attempts > 0),
  -- Its last pack took a worker down: it runs without neighbours from now on.
  alone boolean not null default false,
  -- How many rows of one tenant a batch handler takes at once; null for the others.
  batch smallint,
  -- How many packs of its kind may be out at once; null without a limit.
  concurrency smallint,
  run_at timestamptz not null,
  discard_after timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  body jsonb not null,
  -- Fields of the body that are encrypted, and leave it at the end.
  secrets text[],
  -- W3C traceparent of the request that asked for it.
  trace text
) with (fillfactor = 70);

create table jobs.due (
  queue text not null,
  lane uuid not null,
  priority smallint not null,
  run_at timestamptz not null,
  job_id uuid not null,
  name text not null,
  version integer not null,
  alone boolean not null,
  batch smallint,
  concurrency smallint,
  discard_after timestamptz,
  keyed boolean not null,
  primary key (queue, lane, priority, run_at, job_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
create index due_stale on jobs.due (discard_after) where discard_after is not null;

-- The same row, until its time has come: nothing that looks for work walks over these.
create table jobs.later (
  like jobs.due,
  primary key (run_at, job_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- Rows of one job that travel together. The queue carries the id and nothing else.
create table jobs.pack (
  id uuid primary key,
  queue text not null,
  name text not null,
  job_ids uuid[] not null,
  dispatched_at timestamptz not null default now(),
  -- Who opened it. A pack is opened once.
  runner_id uuid,
  opened_at timestamptz
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- Open, and not to be handed out: no living process has known its kind for a minute, or an operator holds it.
create table jobs.aside (
  job_id uuid primary key,
  why text not null check (why in ('parked', 'held')),
  queue text not null,
  name text not null,
  version integer not null
);
create index aside_by_kind on jobs.aside (why, name, version);

-- One waiting job per key. Claiming removes the row, so that no retry can collide with a newer one.
create table jobs.key (
  name text not null,
  lane uuid not null,
  key text not null,
  job_id uuid not null unique,
  -- The job's: a later one of this key takes the key over instead of joining what may no longer start.
  discard_after timestamptz,
  primary key (name, lane, key)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- Dead jobs stay until someone decides: finding them must not read the whole table.
create table jobs.dead (
  job_id uuid primary key,
  queue text not null,
  name text not null
);

-- Why attempts failed. Kept with a dead job, gone with a done one.
create table jobs.failure (
  job_id uuid not null,
  attempt smallint not null,
  message text not null,
  created_at timestamptz not null default now()
);
create index failure_by_job on jobs.failure (job_id);

-- What ctx.step has committed already.
create table jobs.step (
  job_id uuid not null,
  key text not null,
  result jsonb,
  primary key (job_id, key)
);

-- Who is alive, by the database's clock, and what it can run.
create table jobs.process (
  id uuid primary key,
  role text not null,
  release text not null,
  host text not null,
  -- { queue: number of packs it runs at once }
  slots jsonb not null,
  -- name@version of every job that it can run
  knows text[] not null,
  packs uuid[] not null default '{}',
  -- { name: recent run time in milliseconds }
  run_ms jsonb not null default '{}',
  started_at timestamptz not null default now(),
  beat_at timestamptz not null default now()
);

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

-- Where each job stands, in the words that people use.
create view jobs.status with (security_invoker = true) as
select job.id, job.name, job.version, job.queue, job.tenant_id, job.lane, job.priority, job.attempt, job.attempts, job.alone,
  job.run_at, job.discard_after, job.started_at, job.ended_at, job.body, job.secrets, job.trace,
  case
    when job.state <> 'open' then job.state
    when exists (select 1 from jobs.due where due.queue = job.queue and due.lane = job.lane
                 and due.priority = job.priority and due.run_at = job.run_at and due.job_id = job.id) then 'pending'
    when exists (select 1 from jobs.later where later.run_at = job.run_at and later.job_id = job.id) then 'pending'
    else coalesce((select aside.why from jobs.aside where aside.job_id = job.id), 'dispatched')
  end as state
from jobs.job;

grant select, insert, update, delete on all tables in schema jobs to ballast_dispatcher;
grant select (id, name, version, queue, tenant_id, priority, state, attempt, attempts, run_at, discard_after, started_at, ended_at)
  on jobs.job to ballast_app;
grant select on jobs.pack to ballast_app;
grant select, insert on jobs.step to ballast_app;

alter table jobs.job enable row level security;
create policy dispatcher on jobs.job to ballast_dispatcher using (true) with check (true);
-- The app sees its own tenant's jobs. It adds and completes through functions, and has no other way.
create policy app_select on jobs.job for select to ballast_app using (tenant_id = (select ballast.tenant_id()));

alter table jobs.pack enable row level security;
create policy dispatcher on jobs.pack to ballast_dispatcher using (true) with check (true);
create policy runner on jobs.pack for select to ballast_app using (id = (select ballast.pack_id()));

alter table jobs.step enable row level security;
create policy dispatcher on jobs.step to ballast_dispatcher using (true) with check (true);
create policy runner on jobs.step to ballast_app
  using (exists (select 1 from jobs.pack where pack.id = (select ballast.pack_id()) and job_id = any(pack.job_ids)))
  with check (exists (select 1 from jobs.pack where pack.id = (select ballast.pack_id()) and job_id = any(pack.job_ids)));
