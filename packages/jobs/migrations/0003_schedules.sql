-- Which schedules a process knows, by name: what an operator is told of a row in
-- jobs.schedule that no living process runs.
alter table jobs.process add column schedules text[] not null default '{}';

-- When a process last knew it. What nobody has known for ninety days is removed: its code is gone.
alter table jobs.schedule add column known_at timestamptz not null default now();
