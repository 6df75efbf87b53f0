-- The doors of the fence are planned once for a session, for any number of jobs. A session that was opened while the tables
-- were all but empty read the whole of them at each call, until they were analysed again.
alter function jobs.hold(uuid[], uuid) set plan_cache_mode = force_generic_plan;
alter function jobs.hold(uuid[], uuid) set enable_seqscan = off;
alter function jobs.complete(uuid[], uuid, smallint[], boolean) set plan_cache_mode = force_generic_plan;
alter function jobs.complete(uuid[], uuid, smallint[], boolean) set enable_seqscan = off;
alter function jobs.complete(uuid[], uuid, smallint[], boolean) set enable_hashjoin = off;
alter function jobs.complete(uuid[], uuid, smallint[], boolean) set enable_mergejoin = off;
