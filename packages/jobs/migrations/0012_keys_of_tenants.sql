-- A key belongs to a tenant, and only here is known which tenants are one: null, the own one and its id are, and so are
-- null and the zero uuid where there is none. So items of one key and tenant are joined here, and the first of them is added.
-- With keys, returns the waiting row of each item that has one, new or not, in the order of the items.
create or replace function jobs.add(
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
             jobs.lane(coalesce(item.tenant, own, nobody), of_name, of_concurrency) as lane, item.place
      from unnest(ids, bodies, priorities, discards, run_ats, tenants, keys)
        with ordinality as item (job_id, body, priority, discard, run_at, tenant, key, place)
    ), named as (
      insert into jobs.key as kept (name, lane, key, job_id, discard_after)
      -- One statement may not touch a row twice.
      select distinct on (input.lane, input.key) of_name, input.lane, input.key, input.job_id, input.discard
      from input where input.key is not null
      -- In one order for all: two that add the same keys wait for one another, and never in a circle.
      order by input.lane, input.key, input.place
      -- Always an update, since it locks the row. By the clock: the transaction may have waited for another's.
      on conflict (name, lane, key) do update set (job_id, discard_after) = (
        select case when late then excluded.job_id else kept.job_id end,
               case when late then excluded.discard_after else kept.discard_after end
        from (select kept.discard_after <= clock_timestamp() as late) as age
      )
      returning kept.job_id, kept.lane, kept.key
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
    select named.job_id, named.key from input join named on named.lane = input.lane and named.key = input.key
    order by input.place;
end $$;
