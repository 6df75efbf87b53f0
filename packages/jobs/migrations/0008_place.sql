-- Where a job stands in its line once its time comes, when that is not behind all that is due: what a worker
-- left behind when it died comes back one after the other, and each to the place that it had.
alter table jobs.later add column place_at timestamptz;
