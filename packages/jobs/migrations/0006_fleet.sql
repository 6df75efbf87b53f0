-- What everyone who serves may know of the work of all tenants: who is alive, how much
-- waits, what fails. Names and numbers, and never a tenant, a payload or an error's text:
-- an API that consumes nothing holds no login of the dispatcher, and has to tell what is
-- wrong all the same (`ballast doctor`).

-- A view has its owner's rights.
create view jobs.fleet as
select id, role, release, host, slots, knows, schedules, cardinality(packs) as packs, started_at, beat_at
from jobs.process;

grant select on jobs.fleet, jobs.kind, jobs.queue, jobs.schedule, jobs.epoch to ballast_app;

-- How often the queue's store lost its data.
alter table jobs.epoch add column losses integer not null default 0;

-- What failed lately, without reading all that ever did.
-- safe: written before the first release, the table is empty then.
create index failure_by_time on jobs.failure using brin (created_at);

-- What waits, per queue, at a price that does not grow with the backlog. Counting further
-- than `most` would cost more than the difference is worth.
create function jobs.backlog(most integer) returns table (
  queue text, pending integer, due integer, oldest_due_seconds double precision,
  in_flight integer, dead integer, parked integer, held integer, paused boolean
)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with recursive
  -- Steps from one queue, and from one tenant's lane, to the next along the index: never over their rows.
  waiting (name) as (
    (select queue from jobs.due order by queue limit 1)
    union all
    select (select queue from jobs.due where queue > waiting.name order by queue limit 1)
    from waiting where waiting.name is not null
  ),
  lane (queue, lane) as (
    select waiting.name, (select lane from jobs.due where queue = waiting.name order by lane limit 1)
    from waiting where waiting.name is not null
    union all
    select lane.queue, (select due.lane from jobs.due
                        where due.queue = lane.queue and due.lane > lane.lane
                        order by due.lane limit 1)
    from lane where lane.lane is not null
  ),
  oldest as (
    -- The index gives the first of each priority; few priorities are in use, and each is one step.
    select lane.queue, min(first.run_at) as run_at
    from lane cross join lateral (
      with recursive level (priority, run_at) as (
        (select priority, run_at from jobs.due where due.queue = lane.queue and due.lane = lane.lane
         order by priority, run_at limit 1)
        union all
        select next.priority, next.run_at from level cross join lateral (
          select priority, run_at from jobs.due
          where due.queue = lane.queue and due.lane = lane.lane and due.priority > level.priority
          order by priority, run_at limit 1
        ) next
      )
      select min(run_at) as run_at from level
    ) first
    where lane.lane is not null group by lane.queue
  ),
  flight as (
    select queue, sum(cardinality(job_ids)) as jobs from jobs.pack group by queue
  ),
  dead as (
    select queue, count(*) as jobs
    from (select queue from jobs.dead limit most) counted group by queue
  ),
  parked as (
    select queue, count(*) as jobs
    from (select queue from jobs.aside where why = 'parked' limit most) counted group by queue
  ),
  held as (
    select queue, count(*) as jobs
    from (select queue from jobs.aside where why = 'held' limit most) counted group by queue
  ),
  ripening as (
    select queue, count(*) as jobs
    from (select queue from jobs.later limit most) counted group by queue
  ),
  queue (name) as (
    select name from waiting where waiting.name is not null
    union select served from jobs.process, jsonb_object_keys(slots) served
          where beat_at > now() - interval '1 minute'
    union select name from jobs.queue where paused_at is not null
    union select queue from flight
    union select queue from dead
    union select queue from parked
    union select queue from held
    union select queue from ripening
  )
  select queue.name, least(line.due + coalesce(ripening.jobs, 0), most)::int, line.due,
         coalesce(greatest(0, extract(epoch from now() - oldest.run_at)), 0)::float8,
         coalesce(flight.jobs, 0)::int,
         coalesce(dead.jobs, 0)::int,
         coalesce(parked.jobs, 0)::int,
         coalesce(held.jobs, 0)::int,
         exists (select 1 from jobs.queue known where known.name = queue.name and paused_at is not null)
  from queue
  cross join lateral (
    select count(*)::int as due
    from (select 1 from jobs.due where due.queue = queue.name limit most) counted
  ) line
  left join oldest on oldest.queue = queue.name
  left join flight on flight.queue = queue.name
  left join dead on dead.queue = queue.name
  left join parked on parked.queue = queue.name
  left join held on held.queue = queue.name
  left join ripening on ripening.queue = queue.name
  order by 1
$$;

-- Jobs that do not go their way, by kind: dead, parked, held, handed out to nobody, or failing.
-- Of an error only its code, which names no one.
create function jobs.setbacks(most integer) returns table (
  what text, queue text, name text, code text, jobs integer, since timestamptz, latest timestamptz
)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select 'dead', counted.queue, counted.name, max(last.code), count(*)::int, min(job.ended_at), max(job.ended_at)
  from (select * from jobs.dead limit most) counted
  join jobs.job on job.id = counted.job_id
  left join lateral (
    select substring(message from '^[a-z_]+(?:[.][a-z_]+)+') as code
    from jobs.failure where failure.job_id = counted.job_id order by created_at desc limit 1
  ) last on true
  group by counted.queue, counted.name
  union all
  select why, counted.queue, counted.name, null, count(*)::int, null, null
  from (select * from jobs.aside limit most) counted group by why, counted.queue, counted.name
  union all
  select 'unopened', pack.queue, pack.name, null, sum(cardinality(job_ids))::int, min(dispatched_at), max(dispatched_at)
  from jobs.pack where opened_at is null and dispatched_at < now() - interval '1 minute' group by pack.queue, pack.name
  union all
  select 'failing', job.queue, job.name, substring(recent.message from '^[a-z_]+(?:[.][a-z_]+)+'),
         count(distinct job.id)::int, min(recent.created_at), max(recent.created_at)
  from (select * from jobs.failure where created_at > now() - interval '10 minutes' limit most) recent
  join jobs.job on job.id = recent.job_id and job.state = 'open'
  group by 2, 3, 4
$$;

revoke all on function jobs.backlog, jobs.setbacks from public;
grant execute on function jobs.backlog, jobs.setbacks to ballast_app, ballast_dispatcher;
