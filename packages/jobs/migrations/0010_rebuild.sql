-- A table gives the pages at its end back when they are empty; an index keeps the size of its longest backlog. Built
-- anew while the table is small, that takes milliseconds. It waits a tenth of a second for those who write there, since
-- whoever comes next waits behind it, and leaves it to a later call when they need longer. One index a call, so that it
-- never holds one table while it waits for another.
create function jobs.rebuild_index() returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$
declare
  grown regclass;
begin
  select indexrelid into grown from pg_index
  where indrelid in ('jobs.due'::regclass, 'jobs.later'::regclass, 'jobs.pack'::regclass, 'jobs.key'::regclass)
    and pg_relation_size(indexrelid) > 8 * 1024 * 1024
    and pg_relation_size(indrelid) < least(pg_relation_size(indexrelid) / 8, 4 * 1024 * 1024)
  order by pg_relation_size(indexrelid) desc limit 1;
  if grown is not null then
    execute format('reindex index %s', grown);
  end if;
  return grown::text;
exception when lock_not_available then
  return null;
end $$;

revoke all on function jobs.rebuild_index from public;
grant execute on function jobs.rebuild_index to ballast_dispatcher;
