-- Dead jobs stay until someone decides: counting them must not read the whole table.
create index job_dead on jobs.job (queue) where state = 'dead';
