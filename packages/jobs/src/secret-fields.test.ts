import { randomBytes } from 'node:crypto';
import { type Database, type Tx, withTenant } from '@ballast/db';
import { cancel, defineJob, type JobContext, type Log, secret } from '@ballast/kernel';
import { type KeyRing, parseKeyRing } from '@ballast/kernel/key-ring';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { queueBackends, startQueue, type TestQueue } from '@ballast/test-kit/queue';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { cancelHeld, cancelJob, holdJobs, listJobs, retryJobs, runNow, showJob } from './control.ts';
import { enqueue } from './enqueue.ts';
import { sweep } from './sweep.ts';
import { forgetJobs, pendingJobs, runDueJobs } from './testing.ts';
import { startWorker } from './work.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const job = defineJob({
  name: 'suite.send-link',
  payload: z.strictObject({ userId: z.string(), token: secret(z.string().min(5)) }),
  attempts: 2,
  backoff: { firstMs: 1, maxMs: 1 },
});
const token = 'hunter2/of a very:special"kind';
/** However it was written down on the way. */
const traces = ['hunter2', encodeURIComponent(token)];

const first = `2026-03:${randomBytes(32).toString('base64url')}`;
const second = `2027-01:${randomBytes(32).toString('base64url')}`;

let database: TestDatabase;
let jobsDb: Database;
let admin: Database;
const pools: Database[] = [];
const said: string[] = [];
const say = (fields: object, message: string) => {
  const plain = (_key: string, value: unknown) =>
    value instanceof Error ? { message: value.message, stack: value.stack, cause: value.cause } : value;
  said.push(JSON.stringify({ fields, message }, plain));
};
const log: Log = { debug: say, info: say, warn: say, error: say };

const pool = (keys?: string) => {
  const ring = keys === undefined ? {} : { keys: parseKeyRing(keys) as KeyRing };
  const db = openPatiently({ url: database.appUrl, ...ring });
  pools.push(db);
  return db;
};
const add = (db: Database, options = {}) =>
  withTenant(db, tenant, (tx) => enqueue(tx, job, { userId: 'ada', token }, options));
type Run = (input: { payload: { userId: string; token: string }; ctx: JobContext<Tx> }) => Promise<unknown>;
const registered = (run: Run) => ({ job: job as never, load: async () => ({ job, run: run as never }) });
const runWith = (db: Database, run: Run) => runDueJobs({ db, jobsDb, jobs: [registered(run)], services: null, log });
const seen: string[] = [];
const receive: Run = async ({ payload }) => void seen.push(payload.token);

beforeAll(async () => {
  database = await createTestDatabase();
  jobsDb = openPatiently({ url: database.dispatcherUrl });
  admin = openPatiently({ url: database.adminUrl });
});
afterEach(async () => {
  await forgetJobs(jobsDb);
  said.length = 0;
  seen.length = 0;
});
afterAll(async () => {
  await Promise.all([...pools, jobsDb, admin].map((db) => db.close()));
  await database.drop();
});

/** Every row of every table, as text. */
async function everythingInPostgres(): Promise<string> {
  const tables = await admin.sql<{ name: string }[]>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`;
  const texts: string[] = [];
  for (const { name } of tables) {
    const rows = await admin.sql.unsafe<{ text: string }[]>(`select t::text as text from ${name} t`, [], {
      prepare: false,
    });
    texts.push(...rows.map((row) => row.text));
  }
  return texts.join('\n');
}

async function everythingInRedis(url: string): Promise<string> {
  const redis = new Redis(url);
  const texts: string[] = [];
  for (const key of await redis.keys('*')) texts.push(key, String(await redis.dump(key)));
  redis.disconnect();
  return texts.join('\n');
}

function expectNoTraceIn(text: string): void {
  for (const trace of traces) expect(text).not.toContain(trace);
}

describe.each(queueBackends)('a secret field on %s', (backend) => {
  let queue: TestQueue;
  beforeAll(async () => {
    // Its dump of a value would else be compressed, and unreadable to this test.
    queue = await startQueue(backend, database, undefined, ['--rdbcompression', 'no']);
  });
  afterAll(() => queue.stop());

  it('is only known to the handler: not to Postgres, Redis, the log or the failures', async () => {
    const db = pool(first);
    const held = Promise.withResolvers<void>();
    const under = Promise.withResolvers<void>();
    const transport = queue.open();
    const worker = await startWorker({
      db,
      jobsDb,
      transport,
      jobs: [
        registered(async ({ payload, ctx }) => {
          seen.push(payload.token);
          ctx.log.info({ url: `https://x/?token=${encodeURIComponent(token)}` }, `sends ${payload.token}`);
          ctx.log.warn({ error: new Error('outer', { cause: new Error(token) }) }, 'x');
          under.resolve();
          await held.promise;
          if (ctx.attempt === 1) throw new Error(`cannot reach /?token=${token}`, { cause: new Error(token) });
        }),
      ],
      services: null,
      log,
      release: 'test',
    });
    const id = await add(db);
    await under.promise;
    expectNoTraceIn(await everythingInPostgres());
    if (queue.redis) expectNoTraceIn(await everythingInRedis(queue.redis.url));
    held.resolve();
    const shown = () => showJob(jobsDb, id);
    await vi.waitFor(async () => expect((await shown())?.state).toBe('done'), { timeout: 25_000 });
    await worker.close({ graceMs: 1_000 });
    await transport.close();

    expect(seen).toEqual([token, token]);
    expect((await shown())?.failures.map(({ message }) => message)).toEqual([
      'cannot reach /?token=[secret] ([secret])',
    ]);
    expect(said.some((line) => line.includes('sends [secret]'))).toBe(true);
    expectNoTraceIn(said.join('\n'));
    expectNoTraceIn(await everythingInPostgres());
    expectNoTraceIn(JSON.stringify([await shown(), await listJobs(jobsDb)]));
    // Erased, and not only sealed.
    expect((await shown())?.payload).toEqual({ userId: 'ada' });
  });
});

it('is shown as such while it waits, and erased when the job is cancelled', async () => {
  const db = pool(first);
  const id = await add(db, { runAt: new Date(Date.now() + 60_000) });
  const hidden = { userId: 'ada', token: '[secret]' };
  expect((await showJob(jobsDb, id))?.payload).toEqual(hidden);
  expect((await pendingJobs(jobsDb)).map(({ payload }) => payload)).toEqual([hidden]);
  expect(await everythingInPostgres()).toContain('sealed:v1:2026-03:');
  await cancelJob(jobsDb, id);
  expect(await everythingInPostgres()).not.toContain('sealed:v1:');
});

it.each<[string, (db: Database) => Promise<unknown>]>([
  [
    'its transaction completes the job',
    async (db) => {
      await add(db);
      await runWith(db, ({ ctx }) => ctx.transaction(async () => {}));
    },
  ],
  [
    'its handler cancels the job',
    async (db) => {
      await add(db);
      await runWith(db, async () => cancel('not needed'));
    },
  ],
  [
    'nobody began the job in time',
    async (db) => {
      await add(db, { discardAfter: new Date(Date.now() - 1_000) });
      await sweep({ db: jobsDb, transport: { holds: async () => new Set() }, log });
    },
  ],
  [
    'the job is cancelled while it is held',
    async (db) => {
      await add(db);
      await holdJobs(jobsDb, {});
      await cancelHeld(jobsDb, {});
    },
  ],
])('is erased when %s', async (_, ends) => {
  await ends(pool(first));
  expect(await jobsDb.sql`select state from jobs.status where state not in ('done', 'cancelled')`).toEqual([]);
  expect(await jobsDb.sql`select body from jobs.job`).toEqual([{ body: { userId: 'ada' } }]);
});

it('is kept sealed with a dead job, which can then run again', async () => {
  const db = pool(first);
  const id = await add(db);
  const dead = await runWith(db, async ({ payload }) => ({ outcome: 'dead', error: new Error(payload.token) }));
  expect(dead).toEqual([{ name: job.name, state: 'dead', failure: '[secret]' }]);
  expectNoTraceIn(await everythingInPostgres());
  await retryJobs(jobsDb, { id });
  expect(await runWith(db, receive)).toMatchObject([{ state: 'done' }]);
  expect(seen).toEqual([token]);
});

it('is opened by a former key, and sealed by the first', async () => {
  await add(pool(first));
  const rotated = pool(`${second},${first}`);
  await add(rotated);
  const sealed = await everythingInPostgres();
  for (const id of ['2026-03', '2027-01']) expect(sealed).toContain(`sealed:v1:${id}:`);
  await runWith(rotated, receive);
  expect(seen).toEqual([token, token]);
});

it.each([
  ['an unknown key', second, /^secrets\.unknown_key: job\/[0-9a-f-]+\/token is sealed with the key 2026-03/],
  ['no keys at all', undefined, /^secrets\.no_keys: suite\.send-link has secret fields/],
])(
  'waits for a worker that can open it, uncharged for as long as that takes, and says so: %s',
  async (_case, keys, failure) => {
    const id = await add(pool(first));
    const without = pool(keys);
    // More often than it may be started.
    for (let turn = 0; turn < 3; turn++) {
      expect(await runWith(without, receive)).toMatchObject([
        { state: 'pending', failure: expect.stringMatching(failure) },
      ]);
      expect(await runNow(jobsDb, id)).toBe(true);
    }
    expect(seen).toEqual([]);
    expect(said.filter((line) => line.includes('job will run again'))).toHaveLength(3);
    const waiting = await showJob(jobsDb, id);
    expect(waiting?.attempt).toBe(0);
    // Its latest, and not one for each time.
    expect(waiting?.failures).toHaveLength(1);
    expect(await runWith(pool(first), receive)).toMatchObject([{ state: 'done' }]);
    expect(seen).toEqual([token]);
  },
);

it('does not open in another job', async () => {
  const db = pool(first);
  const [stolen, thief] = [await add(db), await add(db)];
  await jobsDb.sql`
    update jobs.job set body = (select body from jobs.job where id = ${stolen}) where id = ${thief}`;
  await runWith(db, receive);
  expect(seen).toEqual([token]);
  const refused = await showJob(jobsDb, thief);
  expect(refused?.state).toBe('dead');
  expect(refused?.failures[0]?.message).toMatch(/^secrets\.refused: .* does not open/);
});

it('is refused, by name and before anything is written, where there are no keys or it does not fit', async () => {
  await expect(add(pool())).rejects.toMatchObject({ code: 'secrets.no_keys' });
  await expect(
    withTenant(pool(first), tenant, (tx) => enqueue(tx, job, { userId: 'ada', token: 'hunt' })),
  ).rejects.toMatchObject({ code: 'jobs.invalid_payload', internal: expect.stringMatching(/token: is not valid$/) });
  expect(await listJobs(jobsDb)).toEqual([]);
});
