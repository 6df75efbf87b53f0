-- Both doors of the fence open for the transaction's own pack and for its members alone, whoever calls them: until now
-- `complete` took any open job by its id, and any pack.
--
-- The build before this one sends `hold` in front of its scope, in one statement: there the transaction has no pack yet,
-- and membership alone decides. It locks and writes nothing; `complete` insists.
create or replace function jobs.hold(ids uuid[], of_pack uuid) returns uuid[]
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held uuid[];
  members uuid[];
begin
  if of_pack <> ballast.pack_id() then
    return '{}';
  end if;
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

create or replace function jobs.complete(ids uuid[], of_pack uuid, starts smallint[], closes boolean) returns void
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
  if ended = cardinality(ids) and of_pack = ballast.pack_id() then
    -- The pack is read once the jobs are locked, and not in the condition of the update: what that one has waited for
    -- may have taken a job out of its pack and left it open.
    if closes then
      -- Whoever cancels a job of this pack may hold the pack and wait for the job: then it is left to the sweep.
      delete from jobs.pack where pack.id in (
        select pack.id from jobs.pack where pack.id = of_pack and ids <@ pack.job_ids for update skip locked
      );
      if found then
        return;
      end if;
    end if;
    -- Without a lock, hence without waiting: the pack of a job that is locked here stays as it is, for that job.
    perform from jobs.pack where pack.id = of_pack and ids <@ pack.job_ids;
    if found then
      return;
    end if;
  end if;
  raise exception 'a job is no longer in pack %', of_pack using errcode = 'BL001';
end $$;
