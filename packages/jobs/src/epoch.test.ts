/** How a wipe is known, and that the mark which ends it comes last: a store that looks healthy before its jobs were returned would lose them for as long as nobody looks. */
import { randomUUID } from 'node:crypto';
import { withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { enqueue } from './enqueue.ts';
import { keepEpoch } from './epoch.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });

const { db, jobsDb, close } = await openTestPools();

/** A queue's store, of which only the mark matters; it is asked what stood in Postgres when it was written. */
const store = { mark: null as string | null, statesAtWrite: [] as string[], holds: new Set<string>() };
const transport = {
  epoch: {
    read: async () => store.mark,
    write: async (value: string) => {
      store.statesAtWrite = await states();
      store.mark = value;
    },
  },
  holds: async (_: string, ids: readonly string[]) => new Set(ids.filter((id) => store.holds.has(id))),
} as never;

afterAll(close);
beforeEach(async () => {
  await forgetJobs(jobsDb);
  await jobsDb.sql`delete from jobs.epoch`;
  Object.assign(store, { mark: null, statesAtWrite: [], holds: new Set() });
});
afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

const known = async () => (await jobsDb.sql<{ value: string }[]>`select value from jobs.epoch`)[0]?.value ?? null;
const losses = async () => (await jobsDb.sql<{ losses: number }[]>`select losses from jobs.epoch`)[0]?.losses;
const states = async () =>
  (await jobsDb.sql<{ state: string; attempt: number }[]>`select state, attempt from jobs.status order by id`).map(
    (row) => `${row.state} ${row.attempt}`,
  );
const keep = async () => keepEpoch(jobsDb, transport, await known(), silentLog);

/** A job in a pack that was handed out a moment ago; opened, when somebody runs it. */
async function handedOut({ opened = false } = {}): Promise<string> {
  const id = await withTenant(db, tenant, (tx) => enqueue(tx, task, {}));
  const packId = randomUUID();
  await jobsDb.sql`
    with gone as (delete from jobs.due where job_id = ${id})
    insert into jobs.pack (id, queue, name, job_ids, runner_id, opened_at)
    values (${packId}, 'default', ${task.name}, ${[id]}::uuid[], ${opened ? tenant : null}, ${opened ? 'now' : null})`;
  return packId;
}

it('marks a new store once, and is content with it from then on', async () => {
  expect(await keep()).toBe(0);
  expect([store.mark, await losses()]).toEqual([await known(), 0]);
  const before = store.mark;
  expect(await keep()).toBeNull();
  expect(store.mark).toBe(before);
});

it.each([
  ['none', null],
  ['that of another store', randomUUID()],
])(
  'returns what waited in a store whose mark is %s, uncharged and however young, and marks it after that',
  async (_, mark) => {
    await keep();
    const former = await known();
    await handedOut();
    const kept = await handedOut();
    await handedOut({ opened: true });
    store.mark = mark;
    // What another dispatcher has added since is there.
    store.holds.add(kept);
    expect(await keep()).toBe(1);
    const expected = ['pending 0', 'dispatched 0', 'dispatched 0'];
    expect(store.statesAtWrite).toEqual(expected);
    expect(await states()).toEqual(expected);
    expect([store.mark, await losses()]).toEqual([await known(), 1]);
    expect(store.mark).not.toBe(former);
    expect(await keep()).toBeNull();
  },
);

it('marks a wiped store after all that waited in it was returned, however much that is', async () => {
  await keep();
  await jobsDb.sql`
    with job as (
      insert into jobs.job (id, name, version, queue, lane, priority, attempts, run_at, body)
      select gen_random_uuid(), ${task.name}, 1, 'default', ${tenant}, 0, 8, now(), '{}' from generate_series(1, 2100)
      returning id
    )
    insert into jobs.pack (id, queue, name, job_ids) select gen_random_uuid(), 'default', ${task.name}, array[id] from job`;
  store.mark = null;
  expect(await keep()).toBe(2_100);
  expect([store.statesAtWrite.length, new Set(store.statesAtWrite)]).toEqual([2_100, new Set(['pending 0'])]);
});

it('leaves a wiped store unmarked while another process sweeps, and when the rows cannot be returned', async () => {
  await keep();
  await handedOut();
  store.mark = null;
  await jobsDb.sql.begin(async (sql) => {
    await sql`select pg_advisory_xact_lock(${0x53776570})`;
    expect(await keep()).toBeNull();
  });
  expect(store.mark).toBeNull();
  const silent = { ...(transport as object), holds: () => Promise.reject(new Error('no answer')) } as never;
  await expect(keepEpoch(jobsDb, silent, await known(), silentLog)).rejects.toThrow('no answer');
  expect([store.mark, await states()]).toEqual([null, ['dispatched 0']]);
  expect(await keep()).toBe(1);
});

it('does nothing where the packs share the fate of Postgres', async () => {
  expect(await keepEpoch(jobsDb, { epoch: null } as never, null, silentLog)).toBeNull();
  expect(await known()).toBeNull();
});
