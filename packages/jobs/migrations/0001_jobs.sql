-- Postgres is the truth about work; the queue only carries packs that are about to run.
create schema jobs;
grant usage on schema jobs to ballast_app, ballast_auth, ballast_dispatcher;

-- Narrow on purpose: every claim and every outcome rewrites a row. Payloads lie beside it.
create table jobs.job (
  id uuid primary key,
  name text not null,
  version integer not null,
  queue text not null,
  tenant_id uuid,
  -- The line it waits in: the tenant's own, and one for work without a tenant.
  lane uuid not null generated always as (coalesce(tenant_id, '00000000-0000-0000-0000-000000000000')) stored,
  state text not null default 'pending' check (state in ('pending', 'dispatched', 'done', 'dead', 'cancelled')),
  run_at timestamptz not null default now(),
  discard_after timestamptz,
  -- One pending job per key; claiming clears it, so that no retry can collide with a newer row.
  key text,
  attempt smallint not null default 0,
  attempts smallint not null check (attempts > 0),
  -- Its last pack took a worker down: it runs without neighbours from now on.
  alone boolean not null default false,
  pack_id uuid,
  runner_id uuid,
  dispatched_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  created_at timestamptz not null default now()
);

create unique index job_pending_key on jobs.job (name, lane, key) where state = 'pending' and key is not null;
create index job_due on jobs.job (queue, lane, run_at, id) where state = 'pending';
create index job_by_pack on jobs.job (pack_id) where state = 'dispatched';
create index job_stale on jobs.job (discard_after) where state = 'pending' and discard_after is not null;
create index job_ended on jobs.job (ended_at) where state in ('done', 'cancelled');

create table jobs.payload (
  job_id uuid primary key references jobs.job on delete cascade,
  body jsonb not null
);

-- Why attempts failed. Kept with a dead job, gone with a done one.
create table jobs.failure (
  job_id uuid not null references jobs.job on delete cascade,
  attempt smallint not null,
  message text not null,
  created_at timestamptz not null default now()
);
create index failure_by_job on jobs.failure (job_id);

-- What ctx.step has committed already.
create table jobs.step (
  job_id uuid not null references jobs.job on delete cascade,
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

grant select, insert, update, delete on all tables in schema jobs to ballast_dispatcher;
grant select, insert on jobs.job to ballast_app, ballast_auth;
grant update (key) on jobs.job to ballast_app, ballast_auth;
grant update (state, ended_at) on jobs.job to ballast_app;
grant insert on jobs.payload to ballast_app, ballast_auth;
grant select, insert on jobs.step to ballast_app;

alter table jobs.job enable row level security;
create policy dispatcher on jobs.job to ballast_dispatcher using (true) with check (true);

-- The app inserts for its own tenant, sees that tenant's jobs, and completes what it runs.
-- Work without a tenant may be added by a job that has none itself.
create policy app_insert on jobs.job for insert to ballast_app
  with check (
    state = 'pending'
    and tenant_id is not distinct from ballast.tenant_id()
    and (tenant_id is not null or ballast.pack_id() is not null)
  );
create policy app_select on jobs.job for select to ballast_app
  using (tenant_id = ballast.tenant_id() or pack_id = ballast.pack_id() or (tenant_id is null and ballast.pack_id() is not null));
create policy app_update on jobs.job for update to ballast_app
  using (
    pack_id = ballast.pack_id()
    or (state = 'pending' and tenant_id is not distinct from ballast.tenant_id()
        and (tenant_id is not null or ballast.pack_id() is not null))
  );

-- Identity has no tenant yet when it writes a person's first mail.
create policy auth_insert on jobs.job for insert to ballast_auth with check (state = 'pending' and tenant_id is null);
create policy auth_pending on jobs.job for select to ballast_auth using (state = 'pending' and tenant_id is null);
create policy auth_key on jobs.job for update to ballast_auth using (state = 'pending' and tenant_id is null);

alter table jobs.step enable row level security;
create policy dispatcher on jobs.step to ballast_dispatcher using (true) with check (true);
create policy runner on jobs.step to ballast_app
  using (exists (select 1 from jobs.job where job.id = job_id and job.pack_id = ballast.pack_id()))
  with check (exists (select 1 from jobs.job where job.id = job_id and job.pack_id = ballast.pack_id()));
