/** That what a run writes is kept only while its job is in its own pack: whatever became of the job meanwhile, and though nobody has begun it again. */
import { sqlOf, type Tx, withScope, withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { claim } from './claim.ts';
import { enqueue } from './enqueue.ts';
import { FenceLost, openJobContext } from './job-context.ts';
import { returnPacks } from './line-up.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const tenantId = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });

const { db, jobsDb, close } = await openTestPools({ table: 'effect (part text)' });

afterAll(close);
beforeEach(async () => {
  await forgetJobs(jobsDb);
  await db.sql`delete from effect`;
});
afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

const add = () => withTenant(db, tenantId, (tx) => enqueue(tx, task, {}));
async function handOut(): Promise<string> {
  const fleet = { slots: new Map(), knows: new Set(['suite.task@1']), runMs: new Map([['suite.task', 0.1]]) };
  const { packs } = await claim(jobsDb, { queue: 'default', freePacks: 1, rowsPerPack: 20, fleet, afterLane: null });
  return packs[0]?.id as string;
}
const doorsOf = (id: string, packId: string, pool = db) =>
  openJobContext(
    pool,
    { id, packId, tenantId, attempt: 1 },
    { signal: new AbortController().signal },
    silentLog,
    () => {},
  ).ctx;
const leave = (part: string) => async (tx: Tx) => void (await sqlOf(tx)`insert into effect values (${part})`);
const effects = async () => (await db.sql<{ part: string }[]>`select part from effect`).map((row) => row.part);
const states = async () =>
  (await jobsDb.sql<{ state: string }[]>`select state from jobs.status order by id`).map((row) => row.state);

/** What may become of a job under a run that is frozen: each leaves it open, or able to be. */
const becomes = {
  'waits in its line again': async (packId: string) => void (await returnPacks(jobsDb.sql, [packId], true)),
  'is in another pack': async (packId: string) => {
    await returnPacks(jobsDb.sql, [packId], true);
    await handOut();
  },
  'was taken out of its pack': async (packId: string) => {
    await jobsDb.sql`
      with gone as (update jobs.pack set job_ids = '{}' where id = ${packId} returning old.job_ids)
      insert into jobs.aside (job_id, why, queue, name, version)
      select job.id, 'held', job.queue, job.name, job.version from gone, jobs.job where job.id = any(gone.job_ids)`;
  },
};

describe.each(Object.entries(becomes))('a run whose job %s', (_, happens) => {
  it('writes nothing: not by its transaction, nor by a step', async () => {
    const id = await add();
    const packId = await handOut();
    await happens(packId);
    const before = await states();
    await expect(doorsOf(id, packId).transaction(leave('whole'))).rejects.toThrow(FenceLost);
    await expect(doorsOf(id, packId).step('half', leave('half'))).rejects.toThrow(FenceLost);
    expect(await effects()).toEqual([]);
    expect(await states()).toEqual(before);
  });

  it('holds none of many', async () => {
    const ids = [await add(), await add()];
    const packId = await handOut();
    const held = () =>
      withTenant(db, tenantId, async (tx) => {
        const [row] = await sqlOf(tx)<{ held: string[] }[]>`select jobs.hold(${ids}::uuid[], ${packId}) as held`;
        return row?.held;
      });
    expect(await held()).toEqual(ids);
    await happens(packId);
    expect(await held()).toEqual([]);
  });
});

it('a run whose job is still its own writes, step by step, and ends it', async () => {
  const id = await add();
  const { step, transaction } = doorsOf(id, await handOut());
  await step('half', leave('half'));
  await transaction(leave('whole'));
  expect(await effects()).toEqual(['half', 'whole']);
  expect(await states()).toEqual(['done']);
});

it('a read asks for the scope and the rows at once, as in a request, and nothing can be written in it', async () => {
  const id = await add();
  const packId = await handOut();
  // A transaction of the other kind waits for its beginning, its scope and its end.
  const readsOnly = new Proxy(db, {
    get: (target, property) =>
      property === 'orm' ? expect.unreachable('It may not be asked.') : Reflect.get(target, property),
  });
  const { read } = doorsOf(id, packId, readsOnly);
  expect(await read((tx) => tx.execute('select ballast.tenant_id() as tenant'))).toEqual([{ tenant: tenantId }]);
  await expect(read(leave('planted'))).rejects.toThrow('read-only transaction');
  expect(await states()).toEqual(['dispatched']);
});

it('a completion of what is no longer open takes its transaction back', async () => {
  const id = await add();
  const packId = await handOut();
  await doorsOf(id, packId).transaction(leave('first'));
  const again = withScope(db, { tenantId, packId }, async (tx) => {
    await leave('second')(tx);
    await sqlOf(tx)`select jobs.complete(${[id]}::uuid[], ${packId}, ${[1]}::smallint[], false)`;
  });
  await expect(again).rejects.toMatchObject({ code: 'BL001' });
  expect(await effects()).toEqual(['first']);
});

it('a completion that had to wait sees what became of its job meanwhile: open, and in its pack no more', async () => {
  const id = await add();
  const packId = await handOut();
  let completed: Promise<unknown> | undefined;
  await jobsDb.sql.begin(async (sql) => {
    await returnPacks(sql, [packId], true);
    completed = withScope(
      db,
      { tenantId, packId },
      (tx) => sqlOf(tx)`select jobs.complete(${[id]}::uuid[], ${packId}, ${[1]}::smallint[], true)`,
    );
    completed.catch(() => {});
    // On a session of its own: a transaction sees who is there as it was when it first looked.
    const waiting = () => jobsDb.sql`
      select 1 from pg_locks where not granted
        and pid in (select pid from pg_stat_activity where datname = current_database())`;
    await expect.poll(async () => (await waiting()).length, { interval: 10 }).toBe(1);
  });
  await expect(completed).rejects.toMatchObject({ code: 'BL001' });
  expect(await states()).toEqual(['pending']);
});
