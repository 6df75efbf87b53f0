import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { openPatiently, openTestPools } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import pg from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { cancelJob } from './cancel.ts';
import { enqueue } from './enqueue.ts';
import { startHeartbeat } from './heartbeat.ts';
import { lineUpRipe } from './look.ts';
import type { ObservedJob, RunEnd } from './observe.ts';
import { startSweep, sweep } from './sweep.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const runner = '018f0000-0000-7000-8000-0000000000aa';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });

const { database, db, jobsDb, close } = await openTestPools();

afterAll(close);
beforeEach(async () => {
  await forgetJobs(jobsDb);
  await jobsDb.sql`delete from jobs.process`;
});
afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

/** A job in a pack that `runner` has opened, and a session of the app that holds it and has stopped inside a message. */
async function running(): Promise<{ id: string; session: Session }> {
  const id = await withTenant(db, tenant, (tx) => enqueue(tx, task, {}));
  const [pack] = await jobsDb.sql<{ id: string }[]>`
    with gone as (delete from jobs.due)
    insert into jobs.pack (id, queue, name, job_ids, runner_id, opened_at)
    values (gen_random_uuid(), 'default', ${task.name}, array[${id}::uuid], ${runner}, now() - interval '1 minute') returning id`;
  const packId = pack?.id ?? '';
  const session = await openSession();
  // One message, and the half one right behind it: between two of them the session would idle, and could be ended for that.
  const held = session.client.query(`begin; select jobs.hold(array['${id}']::uuid[], '${packId}')`);
  stopInsideMessage(session);
  await held;
  return { id, session };
}

interface Session {
  client: pg.Client;
  ended: Promise<unknown>;
}

async function openSession(): Promise<Session> {
  const client = new pg.Client({ connectionString: `${database.appUrl}` });
  // It complains of the answer to half a query, too.
  client.on('error', () => {});
  const ended = new Promise<void>((resolve) => client.on('end', resolve));
  await client.connect();
  // Shorter than the test: what ends the session below is not this.
  await client.query("set idle_in_transaction_session_timeout = '200ms'");
  return { client, ended };
}

/** Stops as a process does that freezes between two messages of one query. */
function stopInsideMessage(session: Session): void {
  // pg declares no way to send half a query, which is what this is about; its connection has had one all along.
  const { connection } = session.client as unknown as { connection: { parse(query: object): void; flush(): void } };
  connection.parse({ name: '', text: 'select 1', types: [] });
  connection.flush();
}

const sweepNow = () => sweep({ db: jobsDb, transport: { holds: async () => new Set() }, log: silentLog });
const beat = () => jobsDb.sql`
  insert into jobs.process (id, role, release, host, slots, knows) values (${runner}, 'worker', 'test', 'here', '{}', '{}')`;
const stateOf = async (id: string) => (await jobsDb.sql`select state from jobs.status where id = ${id}`)[0]?.state;

describe('the sweep, beside a session that holds a job', () => {
  it('ends that of a silent runner, which no timeout of sessions would, and returns the job', async () => {
    const { id, session } = await running();
    expect(await Promise.race([session.ended.then(() => 'ended'), pause(600, 'holds it')])).toBe('holds it');
    expect(await stateOf(id)).toBe('dispatched');
    await sweepNow();
    await session.ended;
    await expect
      .poll(async () => ((await sweepNow())?.orphaned ?? 0) + Number((await stateOf(id)) === 'pending'))
      .toBe(1);
    expect(await stateOf(id)).toBe('pending');
  });

  it('leaves that of a living runner alone, and sessions that hold nothing', async () => {
    const other = await openSession();
    const { id, session } = await running();
    await beat();
    await jobsDb.sql`update jobs.process set packs = array(select id from jobs.pack)`;
    await sweepNow();
    expect(await other.client.query('select 1 as alive')).toMatchObject({ rows: [{ alive: 1 }] });
    expect(await stateOf(id)).toBe('dispatched');
    session.client.end().catch(() => {});
    await other.client.end();
  });
});

it('tells when it has returned rows, so that the first of those that start apart is not found with the next', async () => {
  await running().then(({ session }) => session.client.end().catch(() => {}));
  let told = 0;
  const sweeper = startSweep({
    ...{ db: jobsDb, transport: { holds: async () => new Set<string>(), drop: async () => {} }, log: silentLog },
    everyMs: 100,
    onReturned: () => {
      told += 1;
    },
  });
  await expect.poll(() => told).toBe(1);
  await sweeper.close();
});

describe('a sweep between those that remove old rows', () => {
  const without = { holds: async () => new Set<string>() };
  const sweepAgain = (settledAfterMs = 10_000) =>
    sweep({ db: jobsDb, transport: without, log: silentLog, remove: false, settledAfterMs });
  const add = (options = {}) => withTenant(db, tenant, (tx) => enqueue(tx, task, {}, options));
  const pack = (id: string, more = {}) => jobsDb.sql`
    with gone as (delete from jobs.due)
    insert into jobs.pack ${jobsDb.sql({ id: randomUUID(), queue: 'default', name: task.name, job_ids: [id], ...more })}`;

  it('takes no lock while there is nothing to do', async () => {
    const id = await add();
    await pack(id);
    const nothing = { orphaned: 0, lost: 0, stale: 0, removed: 0 };
    // Held by another session, the lock would make it null.
    await jobsDb.sql.begin(async (sql) => {
      await sql`select pg_advisory_xact_lock(${0x53776570})`;
      expect(await sweepAgain()).toEqual(nothing);
      expect(await sweepAgain(0)).toBeNull();
    });
    await forgetJobs(jobsDb);
  });

  it('finds what a silent runner left, what the queue does not know, and what nobody started in time', async () => {
    await pack(await add(), { runner_id: runner, opened_at: new Date(Date.now() - 60_000).toISOString() });
    expect(await sweepAgain()).toMatchObject({ orphaned: 1, lost: 0, stale: 0 });
    await forgetJobs(jobsDb);
    await pack(await add(), { dispatched_at: new Date(Date.now() - 60_000).toISOString() });
    expect(await sweepAgain()).toMatchObject({ orphaned: 0, lost: 1, stale: 0 });
    await forgetJobs(jobsDb);
    await add({ discardAfter: new Date(Date.now() - 1_000) });
    expect(await sweepAgain()).toMatchObject({ orphaned: 0, lost: 0, stale: 1 });
  });

  it('leaves a pack to a living runner whose list may be older than its opening, however late the beat was written', async () => {
    const nowMs = Date.now();
    const agoMs = (ms: number) => new Date(nowMs - ms).toISOString();
    await pack(await add(), { runner_id: runner, opened_at: agoMs(12_000) });
    // Nothing is known of the first beat's list.
    await beat();
    expect(await sweepAgain()).toMatchObject({ orphaned: 0 });
    await jobsDb.sql`update jobs.process set listed_at = ${agoMs(14_000)}`;
    expect(await sweepAgain()).toMatchObject({ orphaned: 0 });
    await jobsDb.sql`update jobs.process set listed_at = ${agoMs(10_000)}`;
    expect(await sweepAgain()).toMatchObject({ orphaned: 1 });
  });

  it('knows of a beat’s list that it was made after the answer to the beat before', async () => {
    // Every beat is kept: by the time at which somebody looks there may have been more.
    const admin = openPatiently({ url: database.adminUrl, maxConnections: 1 });
    await admin.sql.unsafe(
      `create table public.beat (id serial, beat_at timestamptz, listed_at timestamptz, packs uuid[]);
       create function public.keep_beat() returns trigger language plpgsql security definer as
         $$ begin
           insert into public.beat (beat_at, listed_at, packs) values (new.beat_at, new.listed_at, new.packs);
           return new;
         end $$;
       create trigger keep_beat after insert or update on jobs.process for each row execute function public.keep_beat()`,
      [],
      { prepare: false },
    );
    const packs: string[] = [];
    const presence = { role: 'worker', release: 'test', slots: {}, knows: [], schedules: [] };
    const heartbeat = await startHeartbeat(
      jobsDb,
      { ...presence, processId: runner, now: () => ({ packs, runMs: {} }) },
      silentLog,
    );
    packs.push(randomUUID());
    const beats = () => admin.sql<{ beatAt: string; listedAt: string | null; packs: string[] }[]>`
      select beat_at::text as "beatAt", listed_at::text as "listedAt", packs from public.beat order by id limit 2`;
    await expect.poll(async () => (await beats()).length, { timeout: 60_000 }).toBe(2);
    await heartbeat.close();
    const [first, second] = await beats();
    expect(first).toMatchObject({ listedAt: null, packs: [] });
    expect(second).toMatchObject({ listedAt: first?.beatAt, packs });
    await admin.sql.unsafe('drop trigger keep_beat on jobs.process', [], { prepare: false });
    await admin.close();
  });

  it('gives what a silent runner left its place in the line again, one after the other', async () => {
    const left: string[] = [];
    for (let packs = 0; packs < 3; packs++) {
      const id = await add();
      left.push(id);
      await pack(id, { runner_id: runner, opened_at: new Date(Date.now() - 60_000).toISOString() });
    }
    const behind = await add();
    expect(await sweepAgain()).toMatchObject({ orphaned: 3 });
    const line = async () =>
      (await jobsDb.sql<{ id: string }[]>`select job_id as id from jobs.due order by run_at`).map(({ id }) => id);
    // One was single in its pack and first; the others follow it by seconds.
    expect(await line()).toEqual([left[0], behind]);
    await jobsDb.sql`
      with ripe as (update jobs.later set run_at = now() - interval '1 second' returning job_id)
      update jobs.job set run_at = now() - interval '1 second' from ripe where job.id = ripe.job_id`;
    await lineUpRipe(jobsDb);
    expect(await line()).toEqual([...left, behind]);
    expect(await cancelJob(jobsDb, left[2] as string)).toBe(true);
  });

  it('waits for no second enqueue that holds a stale job, and cancels that job when it is free', async () => {
    const joined = await add({ key: 'k', discardAfter: new Date(Date.now() + 3_600_000) });
    const alone = await add({ discardAfter: new Date(Date.now() - 1_000) });
    await withTenant(db, tenant, async (tx) => {
      expect(await enqueue(tx, task, {}, { key: 'k' })).toBe(joined);
      await jobsDb.sql`update jobs.due set discard_after = now() - interval '1 second' where job_id = ${joined}`;
      // It would wait for the transaction in which it is awaited.
      expect(await sweepAgain()).toMatchObject({ stale: 1 });
      expect(await stateOf(alone)).toBe('cancelled');
    });
    expect(await stateOf(joined)).toBe('pending');
    expect(await sweepAgain()).toMatchObject({ stale: 1 });
    expect(await stateOf(joined)).toBe('cancelled');
  });

  it('takes nobody for dead whose silence Postgres may have caused: it was away for the sweeper, too', async () => {
    const witness = randomUUID();
    const agoMs = (ms: number) => new Date(Date.now() - ms).toISOString();
    const orphaned = async () =>
      (await sweep({ db: jobsDb, transport: without, log: silentLog, remove: false, witnessId: witness }))?.orphaned;
    await pack(await add(), { runner_id: runner, opened_at: agoMs(60_000) });
    // It has not beaten at all; not for some seconds; again, but not for as long as silence takes.
    expect(await orphaned()).toBe(0);
    await jobsDb.sql`
      insert into jobs.process (id, role, release, host, slots, knows, beat_at, steady_since)
      values (${witness}, 'worker', 'test', 'here', '{}', '{}', now() - interval '9 seconds', now() - interval '1 hour')`;
    expect(await orphaned()).toBe(0);
    await jobsDb.sql`update jobs.process set beat_at = now(), steady_since = now() - interval '5 seconds'`;
    expect(await orphaned()).toBe(0);
    await jobsDb.sql`update jobs.process set beat_at = now(), steady_since = now() - interval '16 seconds'`;
    expect(await orphaned()).toBe(1);
  });

  it('begins the count of a steady process anew when its beats were interrupted', async () => {
    const presence = { role: 'worker', release: 'test', slots: {}, knows: [], schedules: [] };
    const heartbeat = await startHeartbeat(
      jobsDb,
      { ...presence, processId: runner, now: () => ({ packs: [], runMs: {} }) },
      silentLog,
    );
    /** Beats that have been steady for an hour, the last of them so long ago, and what the next beat makes of that. */
    const nextBeat = async (secondsAgo: number) => {
      const [last] = await jobsDb.sql<{ at: string }[]>`
        update jobs.process set beat_at = beat_at - ${secondsAgo} * interval '1 second', steady_since = now() - interval '1 hour'
        returning beat_at::text as at`;
      const at = last?.at as string;
      return vi.waitFor(
        async () => {
          const [next] = await jobsDb.sql<{ apartSeconds: number; steadySeconds: number }[]>`
            select extract(epoch from beat_at - ${at}::text::timestamptz)::float8 as "apartSeconds",
                   extract(epoch from now() - steady_since)::float8 as "steadySeconds"
            from jobs.process where beat_at > ${at}::text::timestamptz`;
          return next ?? expect.unreachable('It has not beaten again.');
        },
        { timeout: 60_000 },
      );
    };
    let steady = await nextBeat(0);
    // A machine that stood still for longer than a gap has interrupted it, too.
    while (steady.apartSeconds > 8) steady = await nextBeat(0);
    expect(steady.steadySeconds).toBeGreaterThan(3_000);
    expect((await nextBeat(9)).steadySeconds).toBeLessThan(60);
    await heartbeat.close();
    expect(await jobsDb.sql`select 1 from jobs.process`).toEqual([]);
  });

  it('lets what came back from a pack that nobody knows travel alone: a worker may have died under it', async () => {
    await pack(await add(), { dispatched_at: new Date(Date.now() - 60_000).toISOString() });
    expect(await sweepAgain()).toMatchObject({ lost: 1 });
    expect(await jobsDb.sql`select alone from jobs.due`).toEqual([{ alone: true }]);
  });

  it('tells whoever counts what it buried and what it cancelled', async () => {
    const ended: unknown[] = [];
    const observe = {
      dispatched() {},
      started() {},
      repaired() {},
      ended: (job: ObservedJob, end: RunEnd, runMs: number | null) =>
        void ended.push([job.name, job.queue, end, runMs]),
    };
    await pack(await add(), { runner_id: runner, opened_at: new Date(Date.now() - 60_000).toISOString() });
    await jobsDb.sql`update jobs.job set started_at = now(), attempt = attempts`;
    await add({ discardAfter: new Date(Date.now() - 1_000) });
    const swept = await sweep({ db: jobsDb, transport: without, log: silentLog, remove: false, observe });
    expect(swept).toMatchObject({ orphaned: 1, stale: 1 });
    expect(ended).toEqual([
      [task.name, 'default', 'dead', null],
      [task.name, 'default', 'cancelled', null],
    ]);
  });
});

it('a schedule that no process has known for ninety days is removed; one that lives says so daily', async () => {
  await jobsDb.sql`
    insert into jobs.schedule (name, cron, zone, next_slot, known_at) values
      ('suite.gone', '0 0 * * *', 'UTC', now(), now() - interval '91 days'),
      ('suite.resting', '0 0 * * *', 'UTC', now(), now() - interval '89 days'),
      ('suite.yearly', '0 0 1 1 *', 'UTC', now(), now() - interval '91 days')`;
  const presence = {
    processId: runner,
    role: 'worker',
    release: 'test',
    slots: {},
    knows: [],
    schedules: ['suite.yearly'],
    now: () => ({ packs: [], runMs: {} }),
  };
  await (await startHeartbeat(jobsDb, presence, silentLog)).close();
  await sweepNow();
  expect(await jobsDb.sql`select name from jobs.schedule order by 1`).toEqual([
    { name: 'suite.resting' },
    { name: 'suite.yearly' },
  ]);
  await jobsDb.sql`delete from jobs.schedule`;
});
