import { type Database, sqlOf, withScope, withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { enqueue, enqueueMany } from './enqueue.ts';
import { type EnqueuedEvent, enqueuedChannel } from './observe.ts';
import { sweep } from './sweep.ts';
import { forgetJobs, pendingJobs, runDueJobs } from './testing.ts';

const note = defineJob({ name: 'suite.note', payload: z.strictObject({ text: z.string() }) });
const tenant = '018f0000-0000-7000-8000-000000000001';
const otherTenant = '018f0000-0000-7000-8000-000000000002';

let database: TestDatabase;
let db: Database;
let jobsDb: Database;
let authDb: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openPatiently({ url: database.appUrl });
  authDb = openPatiently({ url: database.appUrl, role: 'ballast_auth' });
  jobsDb = openPatiently({ url: database.dispatcherUrl });
});

afterAll(async () => {
  await Promise.all([db.close(), jobsDb.close(), authDb.close()]);
  await database.drop();
});

beforeEach(async () => {
  await forgetJobs(jobsDb);
});

describe('enqueue', () => {
  it('commits the job with the transaction, and loses it with a rollback', async () => {
    await withTenant(db, tenant, (tx) => enqueue(tx, note, { text: 'kept' }));
    await expect(
      withTenant(db, tenant, async (tx) => {
        await enqueue(tx, note, { text: 'gone' });
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    const jobs = await pendingJobs(jobsDb);
    expect(jobs).toMatchObject([{ name: 'suite.note', tenantId: tenant, payload: { text: 'kept' } }]);
  });

  it('refuses a payload that its schema refuses, and names the field, not its value', async () => {
    const wrong = { text: 5 } as unknown as { text: string };
    await expect(withTenant(db, tenant, (tx) => enqueue(tx, note, wrong))).rejects.toMatchObject({
      code: 'jobs.invalid_payload',
      internal: expect.stringContaining('text:'),
    });
  });

  it("refuses another tenant's job, and one without a tenant from the app", async () => {
    await expect(
      withTenant(db, tenant, (tx) => enqueue(tx, note, { text: '' }, { tenant: otherTenant })),
    ).rejects.toThrow(/another tenant/);
    await expect(withScope(db, {}, (tx) => enqueue(tx, note, { text: '' }))).rejects.toThrow(/withTenant/);
  });

  it('lets identity add work without a tenant, and none for a tenant', async () => {
    await withScope(authDb, {}, (tx) => enqueue(tx, note, { text: 'hello' }, { key: 'one' }));
    await withScope(authDb, {}, (tx) => enqueue(tx, note, { text: 'again' }, { key: 'one' }));
    expect(await pendingJobs(jobsDb)).toMatchObject([{ tenantId: null, payload: { text: 'hello' } }]);
    await expect(withScope(authDb, {}, (tx) => enqueue(tx, note, { text: '' }, { tenant }))).rejects.toThrow(
      /another tenant/,
    );
  });

  it('keeps one pending job per key, with the first payload, per tenant', async () => {
    const first = await withTenant(db, tenant, (tx) => enqueue(tx, note, { text: 'first' }, { key: 'k' }));
    const second = await withTenant(db, tenant, (tx) => enqueue(tx, note, { text: 'second' }, { key: 'k' }));
    await withTenant(db, otherTenant, (tx) => enqueue(tx, note, { text: 'other' }, { key: 'k' }));
    expect(second).toBe(first);
    expect((await pendingJobs(jobsDb)).map((job) => job.payload)).toEqual([{ text: 'first' }, { text: 'other' }]);
  });

  it('holds the pending row of a key until its own commit, so that the job cannot run before it', async () => {
    await withTenant(db, tenant, (tx) => enqueue(tx, note, { text: 'first' }, { key: 'held' }));
    const ran = await withTenant(db, tenant, async (tx) => {
      await enqueue(tx, note, { text: 'second' }, { key: 'held' });
      return runDueJobs({ db, jobsDb, jobs: [recorded([])], services: null });
    });
    expect(ran).toEqual([]);
    const later = await runDueJobs({ db, jobsDb, jobs: [recorded([])], services: null });
    expect(later).toMatchObject([{ state: 'done' }]);
  });

  it('waits beside an uncommitted job of the same key, and joins it', async () => {
    let second: Promise<string> | undefined;
    const first = await withTenant(db, tenant, async (tx) => {
      const id = await enqueue(tx, note, { text: 'first' }, { key: 'race' });
      second = withTenant(db, tenant, (other) => enqueue(other, note, { text: 'second' }, { key: 'race' }));
      await sqlOf(tx)`select pg_sleep(0.1)`;
      return id;
    });
    expect(await second).toBe(first);
  });

  it('takes many keys in one order, whatever order they are given in, so that two commits never wait in a circle', async () => {
    const add = (keys: readonly string[]) =>
      withTenant(db, tenant, (tx) =>
        enqueueMany(
          tx,
          note,
          keys.map((key) => ({ payload: { text: key }, key })),
        ),
      );
    let others: Promise<string[]>[] = [];
    const waiting = async (count: number) => {
      const [row] = await jobsDb.sql`
        select count(distinct pid)::int as count from pg_locks join pg_stat_activity using (pid)
        where datname = current_database() and not granted`;
      expect(row).toEqual({ count });
    };
    // Both have their first key when they come to the second, which is held until both wait.
    await withTenant(db, tenant, async (tx) => {
      await enqueue(tx, note, { text: 'm' }, { key: 'm' });
      others = [add(['a', 'm', 'z'])];
      await vi.waitFor(() => waiting(1), { timeout: 20_000 });
      others.push(add(['z', 'm', 'a']));
      await vi.waitFor(() => waiting(2), { timeout: 20_000 });
    });
    const [one = [], other = []] = await Promise.all(others);
    expect(other.toReversed()).toEqual(one);
  });

  it('joins no job whose discardAfter has passed, which is cancelled and takes nobody along', async () => {
    const enqueued = (text: string, discardAfter?: Date) =>
      withTenant(db, tenant, (tx) =>
        enqueue(tx, note, { text }, { key: 'late', ...(discardAfter ? { discardAfter } : {}) }),
      );
    const late = await enqueued('late', new Date(Date.now() - 1_000));
    const fresh = await enqueued('fresh', new Date(Date.now() + 60_000));
    expect(fresh).not.toBe(late);
    expect(await enqueued('joined')).toBe(fresh);
    const transport = { holds: async () => new Set<string>() };
    expect(await sweep({ db: jobsDb, transport, log: silentLog, remove: false })).toMatchObject({ stale: 1 });
    expect(await pendingJobs(jobsDb)).toMatchObject([{ id: fresh, key: 'late', payload: { text: 'fresh' } }]);
    const ran: string[] = [];
    await runDueJobs({ db, jobsDb, jobs: [recorded(ran)], services: null });
    expect(ran).toEqual(['fresh']);
  });

  it('knows by the clock that one has passed which it waited for', async () => {
    let second: Promise<string> | undefined;
    const first = await withTenant(db, tenant, async (tx) => {
      const id = await enqueue(tx, note, { text: 'first' }, { key: 'k', discardAfter: new Date(Date.now() + 300) });
      second = withTenant(db, tenant, (other) => enqueue(other, note, { text: 'second' }, { key: 'k' }));
      await sqlOf(tx)`select pg_sleep(0.5)`;
      return id;
    });
    expect(await second).not.toBe(first);
  });

  it('never lets a repeat collide with a newer job of its key: the claim had cleared it', async () => {
    const enqueued = (text: string) => withTenant(db, tenant, (tx) => enqueue(tx, note, { text }, { key: 'k' }));
    const first = await enqueued('first');
    let second: string | undefined;
    const failing = {
      job: note as never,
      load: async () => ({
        job: note,
        run: async () => {
          second = await enqueued('second');
          // A pending row of that key is committed when this one becomes pending again.
          await withScope(
            jobsDb,
            {},
            (tx) =>
              sqlOf(tx)`update jobs.due set run_at = now() + interval '1 hour' where job_id = ${second as string}`,
          );
          await jobsDb.sql`update jobs.job set run_at = due.run_at from jobs.due where due.job_id = job.id`;
          throw new Error('once more');
        },
      }),
    };
    expect(await runDueJobs({ db, jobsDb, jobs: [failing as never], services: null })).toMatchObject([
      { state: 'pending', failure: 'once more' },
    ]);
    expect(second).not.toBe(first);
    expect(await pendingJobs(jobsDb)).toMatchObject([
      { id: first, key: null },
      { id: second, key: 'k' },
    ]);
    expect(await enqueued('third')).toBe(second);
  });

  it('adds many in one statement, in order, and joins equal keys', async () => {
    const ids = await withTenant(db, tenant, (tx) =>
      enqueueMany(tx, note, [
        { payload: { text: 'a' } },
        { payload: { text: 'b' }, key: 'same' },
        { payload: { text: 'c' }, key: 'same' },
        { payload: { text: 'd' } },
      ]),
    );
    expect(ids[1]).toBe(ids[2]);
    expect(new Set(ids).size).toBe(3);
    const texts = new Map((await pendingJobs(jobsDb)).map((job) => [job.id, (job.payload as { text: string }).text]));
    expect(ids.map((id) => texts.get(id))).toEqual(['a', 'b', 'b', 'd']);
  });

  it('adds one job for each tenant of a key, whichever way a tenant is said', async () => {
    const items = (tenants: (string | null | undefined)[]) =>
      tenants.map((of, place) => ({
        payload: { text: String(place) },
        key: 'k',
        ...(of === undefined ? {} : { tenant: of }),
      }));
    const nobody = '00000000-0000-0000-0000-000000000000';
    const addAll = (tenants: (string | null | undefined)[], own: string | null = null) =>
      withScope(jobsDb, { tenantId: own }, (tx) => enqueueMany(tx, note, items(tenants)));
    const texts = async () =>
      new Map(
        (await pendingJobs(jobsDb)).map((job) => [job.id, [job.tenantId, (job.payload as { text: string }).text]]),
      );

    const ids = await addAll([otherTenant, undefined, null, tenant, nobody, tenant.toUpperCase(), otherTenant], tenant);
    expect(ids.map((id) => ids.indexOf(id))).toEqual([0, 1, 2, 1, 2, 1, 0]);
    expect(await texts()).toEqual(
      new Map([
        [ids[0], [otherTenant, '0']],
        [ids[1], [tenant, '1']],
        [ids[2], [null, '2']],
      ]),
    );
    // A transaction without a tenant of its own means none; what waits already is joined, one and all.
    expect(await addAll([null, undefined, tenant])).toEqual([ids[2], ids[2], ids[1]]);
    expect(await texts()).toHaveProperty('size', 3);
  });

  it('tells its listeners of the jobs that were added, and not of those that were joined', async () => {
    const told: number[] = [];
    const listen = (event: unknown) => void told.push((event as EnqueuedEvent).rows);
    enqueuedChannel.subscribe(listen);
    const keys = (...names: (string | undefined)[]) =>
      names.map((key) => ({ payload: { text: 'x' }, ...(key === undefined ? {} : { key }) }));
    await withTenant(db, tenant, (tx) => enqueueMany(tx, note, keys('a', undefined, 'a', 'b')));
    await withTenant(db, tenant, (tx) => enqueueMany(tx, note, keys('b', 'c', undefined)));
    enqueuedChannel.unsubscribe(listen);
    expect(told).toEqual([3, 2]);
  });

  it('announces nothing inside the transaction, nothing after a rollback, and once after the commit', async () => {
    const heard: string[] = [];
    const spied = { ...db, notify: (channel: string) => void heard.push(channel) };
    const add = async (fails: boolean) =>
      withTenant(spied, tenant, async (tx) => {
        await enqueue(tx, note, { text: 'quiet' });
        // What NOTIFY has queued in this session would be sent by its commit, under a lock of the whole cluster.
        expect(heard).toEqual([]);
        if (fails) throw new Error('rolled back');
      });
    await expect(add(true)).rejects.toThrow('rolled back');
    expect(heard).toEqual([]);
    await add(false);
    expect(heard).toEqual(['ballast_jobs']);
  });

  it('announces after the commit', async () => {
    const heard = Promise.withResolvers<void>();
    const listening = await jobsDb.sql.listen('ballast_jobs', () => heard.resolve());
    await withTenant(db, tenant, (tx) => enqueue(tx, note, { text: 'loud' }));
    await heard.promise;
    await listening.unlisten();
  });
});

/** A handler that only remembers what it was given. */
function recorded(into: string[]) {
  return {
    job: note as never,
    load: async () => ({
      job: note,
      run: async ({ payload }: { payload: { text: string } }) => void into.push(payload.text),
    }),
  };
}
