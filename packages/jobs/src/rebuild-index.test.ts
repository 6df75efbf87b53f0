import type { Database } from '@ballast/db';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { sweep } from './sweep.ts';

let database: TestDatabase;
let jobsDb: Database;
let owner: postgres.Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  jobsDb = openPatiently({ url: database.dispatcherUrl });
  owner = postgres(database.ownerUrl, { max: 2 });
});
afterAll(async () => {
  await Promise.all([jobsDb.close(), owner.end()]);
  await database.drop();
});

/** A backlog of 150,000 that is gone but for ten. */
beforeEach(async () => {
  await owner`truncate jobs.due`;
  await owner`
    insert into jobs.due (queue, lane, priority, run_at, job_id, name, version, alone, keyed)
    select 'default', gen_random_uuid(), 0, now(), gen_random_uuid(), 'line.kept', 1, false, false from generate_series(1, 150000)`;
  await owner`delete from jobs.due where ctid not in (select ctid from jobs.due order by ctid limit 10)`;
  await owner`vacuum jobs.due`;
});

const indexBytes = async () => {
  const [row] = await owner<{ bytes: number }[]>`select pg_relation_size('jobs.due_pkey')::int as bytes`;
  return row?.bytes ?? 0;
};
const sweepNow = () => sweep({ db: jobsDb, transport: { holds: async () => new Set() }, log: silentLog });
/** More than one sweep when Postgres happens to vacuum the table by itself. */
const sweptSmall = () => expect.poll(() => sweepNow().then(indexBytes), { timeout: 20_000 }).toBeLessThan(128 * 1024);

it('gives back what an index kept of a backlog, and what waits is found by it', async () => {
  expect(await indexBytes()).toBeGreaterThan(8 * 1024 * 1024);
  await sweptSmall();
  const [found] = await owner.begin(async (sql) => {
    await sql`set local enable_seqscan = off`;
    return sql`select count(*)::int as rows from jobs.due where queue = 'default'`;
  });
  expect(found).toEqual({ rows: 10 });
});

it('waits for nobody who writes, and comes again', async () => {
  const large = await indexBytes();
  await owner.begin(async (sql) => {
    await sql`delete from jobs.due where ctid = (select min(ctid) from jobs.due)`;
    await sweepNow();
    expect(await indexBytes()).toBe(large);
  });
  await sweptSmall();
});
