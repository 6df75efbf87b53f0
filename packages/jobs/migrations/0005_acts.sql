-- What operators did to jobs, counted: their commands end before anybody could read it from
-- them, and whoever scrapes a worker wants to know why a job never ran.
create table jobs.act (
  what text not null check (what in ('cancelled', 'retried', 'hurried', 'held', 'released')),
  queue text not null,
  name text not null,
  jobs bigint not null,
  last_at timestamptz not null default now(),
  primary key (what, queue, name)
);
grant select, insert, update, delete on jobs.act to ballast_dispatcher;
