-- How far a run says it is. Beside the job and not in it: the handler's transaction holds
-- the job's row, and what it wrote there would show when it no longer matters.
create table jobs.progress (
  job_id uuid primary key,
  -- Which start said so: a repeat begins anew.
  attempt smallint not null,
  fraction real not null check (fraction between 0 and 1),
  note text,
  reported_at timestamptz not null default now()
) with (fillfactor = 50);

grant select, insert, update, delete on jobs.progress to ballast_dispatcher;
grant select, insert, update on jobs.progress to ballast_app;

alter table jobs.progress enable row level security;
create policy dispatcher on jobs.progress to ballast_dispatcher using (true) with check (true);
create policy runner on jobs.progress to ballast_app
  using (exists (select 1 from jobs.pack where pack.id = (select ballast.pack_id()) and job_id = any(pack.job_ids)))
  with check (exists (select 1 from jobs.pack where pack.id = (select ballast.pack_id()) and job_id = any(pack.job_ids)));
