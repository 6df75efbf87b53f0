-- Which schedules a process knows, by name: what an operator is told of a row in
-- jobs.schedule that no living process runs.
alter table jobs.process add column schedules text[] not null default '{}';
