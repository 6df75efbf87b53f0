/** That each state is found where it is kept: beside any number of done jobs, which nobody reads for it. */
import { type Database, withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cancelJob, holdJobs, type JobState, type ListFilter, listJobs } from './control.ts';
import { enqueue } from './enqueue.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const other = '018f0000-0000-7000-8000-000000000002';
const [mail, report] = (['suite.mail', 'suite.report'] as const).map((name, index) =>
  defineJob({
    name,
    payload: z.strictObject({}),
    queue: index === 0 ? 'default' : 'slow',
    ...(index === 0 ? {} : { concurrency: 1 }),
  }),
) as [ReturnType<typeof defineJob>, ReturnType<typeof defineJob>];

const { db, jobsDb, close } = await openTestPools();
afterAll(close);

/** The ids of each state, the newest first: two jobs of one organisation, one of them limited, and one of another's. */
const ids = {} as Record<JobState, string[]>;
const doneBeside = 20_000;

beforeAll(async () => {
  await forgetJobs(jobsDb);
  const { sql } = jobsDb;
  await sql`
    insert into jobs.job (id, name, version, queue, tenant_id, lane, priority, attempts, run_at, ended_at, body, state)
    select uuidv7(interval '-1 hour'), 'suite.many', 1, 'default', ${tenant}, ${tenant}, 0, 3, now(), now(), '{}', 'done'
    from generate_series(1, ${doneBeside})`;
  const three = async (options = {}) => {
    const added = [
      await withTenant(db, tenant, (tx) => enqueue(tx, mail, {}, options)),
      await withTenant(db, tenant, (tx) => enqueue(tx, report, {}, options)),
      await withTenant(db, other, (tx) => enqueue(tx, mail, {}, options)),
    ];
    return added.reverse();
  };
  const end = async (state: string, of: string[]) => {
    await sql`delete from jobs.due where job_id = any(${of}::uuid[])`;
    await sql`update jobs.job set state = ${state}, ended_at = now() where id = any(${of}::uuid[])`;
  };
  ids.held = await three();
  await holdJobs(jobsDb, {});
  ids.parked = await three();
  await sql`
    with gone as (delete from jobs.due returning job_id, queue, name, version)
    insert into jobs.aside (job_id, why, queue, name, version) select job_id, 'parked', queue, name, version from gone`;
  ids.dead = await three();
  await end('dead', ids.dead);
  await sql`insert into jobs.dead (job_id, queue, name) select id, queue, name from jobs.job where state = 'dead'`;
  ids.cancelled = await three();
  for (const id of ids.cancelled) await cancelJob(jobsDb, id);
  ids.dispatched = await three();
  ids.done = await three();
  // Those that are done are still named in the packs of their neighbours.
  for (const [place, id] of ids.dispatched.entries()) {
    const members = [id, ids.done[place] as string];
    await sql`
      with gone as (delete from jobs.due where job_id = any(${members}::uuid[]))
      insert into jobs.pack (id, queue, name, job_ids)
      select gen_random_uuid(), queue, name, ${members}::uuid[] from jobs.job where id = ${id}`;
  }
  await end('done', ids.done);
  const [due, later] = [await three(), await three({ runAt: new Date(Date.now() + 3_600_000) })];
  ids.pending = [...later, ...due];
});

const states = ['pending', 'dispatched', 'parked', 'held', 'dead', 'cancelled', 'done'] as const satisfies JobState[];
/** The limit leaves the many that are done beside out of the list. */
const listed = async (filter: ListFilter) => {
  const rows = await listJobs(jobsDb, filter);
  return rows.filter(({ name }) => name !== 'suite.many').map(({ id }) => id);
};
const only = (from: readonly string[], keep: (place: number) => boolean) => from.filter((_, index) => keep(index % 3));

describe.each(states)('what is %s', (state) => {
  it('is listed, the newest first, all of it and nothing else', async () => {
    expect(await listed({ state })).toEqual(ids[state]);
    expect((await listJobs(jobsDb, { state, limit: 2 })).map(({ id }) => id)).toEqual(ids[state].slice(0, 2));
    for (const row of await listJobs(jobsDb, { state })) expect(row.state).toBe(state);
  });

  it('is listed by name, by queue and by organisation, alone and together', async () => {
    const mails = only(ids[state], (place) => place !== 1);
    const reports = only(ids[state], (place) => place === 1);
    expect(await listed({ state, name: mail.name })).toEqual(mails);
    expect(await listed({ state, queue: report.queue })).toEqual(reports);
    expect(await listed({ state, tenantId: other })).toEqual(only(ids[state], (place) => place === 0));
    expect(await listed({ state, tenantId: tenant })).toEqual(only(ids[state], (place) => place !== 0));
    expect(await listed({ state, tenantId: tenant, queue: report.queue, name: report.name })).toEqual(reports);
    expect(await listed({ state, tenantId: other, name: report.name })).toEqual([]);
  });
});

// What is cancelled or done has no place of its own: that list reads back in time.
it.each(states.filter((state) => state !== 'cancelled' && state !== 'done'))(
  'what is %s is found without reading what is done',
  async (state) => {
    for (const filter of [{}, { name: mail.name }, { tenantId: tenant }]) {
      const read = await rowsRead((beside) => listJobs(beside, { state, limit: 10, ...filter }));
      expect(read.sequentially).toBe(0);
      expect(read.byIndex).toBeLessThan(100);
    }
  },
);

it('lists all states together, and leaves every job in its place', async () => {
  const all = states.flatMap((state) => ids[state]);
  expect(await listed({ limit: 100 })).toEqual(all.sort().reverse());
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

/** Rows of jobs.job that Postgres looked at for `ask`. Its session has counted what it did before, too. */
async function rowsRead(ask: (db: Database) => Promise<unknown>) {
  return jobsDb.sql.begin(async (sql) => {
    const counted = async () => {
      const [row] = await sql`
        select seq_tup_read::int as sequentially, idx_tup_fetch::int as "byIndex"
        from pg_stat_xact_user_tables where relid = 'jobs.job'::regclass`;
      return row as { sequentially: number; byIndex: number };
    };
    const before = await counted();
    // What is counted is counted per session, so it has to ask over this one; a transaction's client lacks `begin` and the like.
    await ask({ ...jobsDb, sql: sql as unknown as postgres.Sql });
    const after = await counted();
    return { sequentially: after.sequentially - before.sequentially, byIndex: after.byIndex - before.byIndex };
  });
}
