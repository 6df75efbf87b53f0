-- The end of the fence, sent together with the commit: when the row is no longer this
-- pack's it raises, and the commit behind it becomes a rollback.
create function jobs.complete(job_id uuid, of_pack uuid, starts smallint) returns void
  language plpgsql as $$
begin
  update jobs.job set state = 'done', ended_at = now(), attempt = starts
  where id = job_id and pack_id = of_pack and state = 'dispatched';
  if not found then
    raise exception 'job % is no longer in pack %', job_id, of_pack using errcode = 'BL001';
  end if;
end $$;

grant update (attempt) on jobs.job to ballast_app;
