-- The app's doors to the tables of jobs. They run as the tables' owner, so that the app
-- needs no right to write there: it can add work for its own tenant, hold what it runs
-- and complete that, and nothing else.

-- A limited kind stands in a line of its own, so that it holds up nothing behind it.
create function jobs.lane(tenant uuid, of_name text, of_concurrency smallint) returns uuid
  language sql immutable parallel safe as $$
  select case when of_concurrency is null then tenant else md5(tenant::text || of_name)::uuid end
$$;

-- Adds jobs of one kind. In `tenants`, null stands for the transaction's own tenant, and
-- the zero uuid for none. With keys, returns the waiting row of each key, new or not;
-- without, every row is new and none is returned.
create function jobs.add(
  of_name text, of_version integer, of_queue text, of_attempts smallint, of_batch smallint, of_concurrency smallint,
  of_secrets text[], of_trace text,
  ids uuid[], bodies text[], priorities smallint[], discards timestamptz[], run_ats timestamptz[], tenants uuid[], keys text[]
) returns table (id uuid, key text)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  own uuid := ballast.tenant_id();
  own_lane uuid;
  caller text := coalesce(nullif(current_setting('role'), 'none'), session_user);
begin
  if caller = 'ballast_auth' then
    -- Identity has no tenant yet when it writes a person's first mail.
    own := null;
  elsif caller = 'ballast_app' and own is null and ballast.pack_id() is null then
    raise exception 'no tenant is set and no job is running: open the transaction with withTenant'
      using errcode = 'insufficient_privilege';
  end if;
  if tenants is not null and caller <> 'ballast_dispatcher' and exists (
    select 1 from unnest(tenants) as given (tenant)
    where given.tenant is not null and nullif(given.tenant, nobody) is distinct from own
  ) then
    raise exception 'a job of another tenant' using errcode = 'insufficient_privilege';
  end if;

  if run_ats is null and tenants is null and keys is null then
    -- The common case, without a look at what nobody said.
    own := coalesce(own, nobody);
    if cardinality(ids) = 1 then
      -- One job, as most transactions add: as values, without a set to be unfolded, a third less of Postgres' time.
      own_lane := case when of_concurrency is null then own else jobs.lane(own, of_name, of_concurrency) end;
      insert into jobs.job (id, name, version, queue, tenant_id, lane, priority, attempts, batch, concurrency, run_at, discard_after, body, secrets, trace)
      values (ids[1], of_name, of_version, of_queue, nullif(own, nobody), own_lane,
              coalesce(priorities[1], 0), of_attempts, of_batch, of_concurrency, now(), discards[1], bodies[1]::jsonb, of_secrets, of_trace);
      insert into jobs.due (queue, lane, priority, run_at, job_id, name, version, alone, batch, concurrency, discard_after, keyed)
      values (of_queue, own_lane, coalesce(priorities[1], 0), now(),
              ids[1], of_name, of_version, of_attempts = 1, of_batch, of_concurrency, discards[1], false);
      return;
    end if;
    with added as (
      insert into jobs.job (id, name, version, queue, tenant_id, lane, priority, attempts, batch, concurrency, run_at, discard_after, body, secrets, trace)
      select item.job_id, of_name, of_version, of_queue, nullif(own, nobody), jobs.lane(own, of_name, of_concurrency),
             coalesce(item.priority, 0), of_attempts, of_batch, of_concurrency, now(), item.discard, item.body::jsonb, of_secrets, of_trace
      from unnest(ids, bodies, priorities, discards) as item (job_id, body, priority, discard)
    )
    insert into jobs.due (queue, lane, priority, run_at, job_id, name, version, alone, batch, concurrency, discard_after, keyed)
    select of_queue, jobs.lane(own, of_name, of_concurrency), coalesce(item.priority, 0), now(),
           item.job_id, of_name, of_version, of_attempts = 1, of_batch, of_concurrency, item.discard, false
    from unnest(ids, priorities, discards) as item (job_id, priority, discard);
    return;
  end if;

  return query
    with input as materialized (
      select item.job_id, item.body, coalesce(item.priority, 0::smallint) as priority, item.discard,
             coalesce(item.run_at, now()) as run_at, coalesce(item.tenant, own, nobody) as tenant, item.key,
             jobs.lane(coalesce(item.tenant, own, nobody), of_name, of_concurrency) as lane
      from unnest(ids, bodies, priorities, discards, run_ats, tenants, keys)
        as item (job_id, body, priority, discard, run_at, tenant, key)
    ), named as (
      insert into jobs.key as kept (name, lane, key, job_id, discard_after)
      select of_name, input.lane, input.key, input.job_id, input.discard from input where input.key is not null
      -- In one order for all: two that add the same keys wait for one another, and never in a circle.
      order by input.lane, input.key
      -- Always an update, since it locks the row. By the clock: the transaction may have waited for another's.
      on conflict (name, lane, key) do update set (job_id, discard_after) = (
        select case when late then excluded.job_id else kept.job_id end,
               case when late then excluded.discard_after else kept.discard_after end
        from (select kept.discard_after <= clock_timestamp() as late) as age
      )
      returning kept.job_id, kept.key
    ), fresh as (
      select input.* from input left join named on named.job_id = input.job_id
      where input.key is null or named.job_id is not null
    ), added as (
      insert into jobs.job (id, name, version, queue, tenant_id, lane, priority, attempts, batch, concurrency, run_at, discard_after, body, secrets, trace)
      select fresh.job_id, of_name, of_version, of_queue, nullif(fresh.tenant, nobody), fresh.lane, fresh.priority,
             of_attempts, of_batch, of_concurrency, fresh.run_at, fresh.discard, fresh.body::jsonb, of_secrets, of_trace
      from fresh
    ), waits as (
      insert into jobs.due (queue, lane, priority, run_at, job_id, name, version, alone, batch, concurrency, discard_after, keyed)
      select of_queue, fresh.lane, fresh.priority, fresh.run_at, fresh.job_id, of_name, of_version,
             of_attempts = 1, of_batch, of_concurrency, fresh.discard, fresh.key is not null
      from fresh where fresh.run_at <= now()
    ), sleeps as (
      insert into jobs.later (queue, lane, priority, run_at, job_id, name, version, alone, batch, concurrency, discard_after, keyed)
      select of_queue, fresh.lane, fresh.priority, fresh.run_at, fresh.job_id, of_name, of_version,
             of_attempts = 1, of_batch, of_concurrency, fresh.discard, fresh.key is not null
      from fresh where fresh.run_at > now()
    )
    select named.job_id, named.key from named;
end $$;

-- The fence: locks those of these jobs that are open and in this pack, and returns them.
-- The jobs first, then the pack: whoever cancels or sweeps a job changes its row before it
-- changes the pack, so that what is read of the pack here is current. A pack that another
-- is taking away at this moment counts as gone, and is not waited for.
create function jobs.hold(ids uuid[], of_pack uuid) returns uuid[]
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held uuid[];
  members uuid[];
begin
  if cardinality(ids) = 1 then
    -- The common case. With an array in the condition each call would plan anew.
    perform from jobs.job where job.id = ids[1] and job.state = 'open' for update;
    if found then
      perform from jobs.pack where pack.id = of_pack and ids[1] = any(pack.job_ids) for key share skip locked;
    end if;
    return case when found then ids else '{}' end;
  end if;
  select array_agg(locked.id) into held from (
    select job.id from jobs.job where job.id = any(ids) and job.state = 'open' order by job.id for update
  ) locked;
  select pack.job_ids into members from jobs.pack where pack.id = of_pack for key share skip locked;
  return array(select id from unnest(held) as id where id = any(members));
end $$;

-- The end of the fence, sent together with the commit: when a row is no longer open it
-- raises, and the commit behind it becomes a rollback. `closes` ends the pack with it.
create function jobs.complete(ids uuid[], of_pack uuid, starts smallint[], closes boolean) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  ended integer;
begin
  if cardinality(ids) = 1 then
    update jobs.job set state = 'done', ended_at = now(), attempt = starts[1],
      body = case when secrets is null then body else body - secrets end
    where job.id = ids[1] and job.state = 'open';
  else
    update jobs.job set state = 'done', ended_at = now(), attempt = item.starts,
      body = case when secrets is null then body else body - secrets end
    from unnest(ids, starts) as item (id, starts)
    where job.id = item.id and job.state = 'open';
  end if;
  get diagnostics ended = row_count;
  if ended <> cardinality(ids) then
    raise exception 'a job is no longer in pack %', of_pack using errcode = 'BL001';
  end if;
  if closes then
    -- Whoever cancels a job of this pack may hold the pack and wait for the job: then it is left to the sweep.
    delete from jobs.pack where pack.id in (select pack.id from jobs.pack where pack.id = of_pack for update skip locked);
  end if;
end $$;

-- Ends the sessions that hold jobs of a pack whose runner is silent. A process that froze in
-- the middle of a message is not idle in Postgres' eyes: no timeout ends its session, and
-- the lock of its fence would stay for as long as its connection does.
create function jobs.end_holders(of_pack uuid, silent_after interval) returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  holders integer[];
begin
  -- Found first and ended after: in one query the planner may call the function for every session it looks at.
  select array_agg(distinct holder.pid) into holders
  from jobs.pack
  join jobs.job on job.id = any(pack.job_ids)
  join pg_stat_activity holder on holder.backend_xid = job.xmax
  where pack.id = of_pack and job.state = 'open' and holder.usename = 'ballast_app'
    and not exists (select 1 from jobs.process where process.id = pack.runner_id and beat_at > now() - silent_after);
  perform pg_terminate_backend(holder) from unnest(holders) as holder;
  return coalesce(cardinality(holders), 0);
end $$;

revoke all on all functions in schema jobs from public;
grant execute on function jobs.lane to ballast_app, ballast_auth, ballast_dispatcher;
grant execute on function jobs.add to ballast_app, ballast_auth, ballast_dispatcher;
grant execute on function jobs.hold, jobs.complete to ballast_app;
grant execute on function jobs.end_holders to ballast_dispatcher;
