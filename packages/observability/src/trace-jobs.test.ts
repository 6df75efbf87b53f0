import { type Database, type Tx, withTenant } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import { forgetJobs, runDueJobs, slotComes } from '@ballast/jobs/testing';
import {
  AppError,
  type BatchHandler,
  cancel,
  defineBatchHandler,
  defineHandler,
  defineJob,
  defineSchedule,
  type JobContext,
  snooze,
} from '@ballast/kernel';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { type ReceivedSpan, startTraceReceiver, type TraceReceiver } from '@ballast/test-kit/trace-receiver';
import { trace } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createLogger } from './logger.ts';
import { openTracing, type Tracing } from './tracing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const kind = (name: string) =>
  defineJob({ name, payload: z.strictObject({ n: z.int() }), attempts: 2, backoff: { firstMs: 1, maxMs: 1 } });
const first = kind('suite.first');
const next = kind('suite.next');

let database: TestDatabase;
let db: Database;
let jobsDb: Database;
let receiver: TraceReceiver;
let tracing: Tracing;
const lines: string[] = [];
const log = createLogger({
  level: 'debug',
  base: { service: 't' },
  destination: { write: (line) => lines.push(line) },
});
const logged = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

beforeAll(async () => {
  database = await createTestDatabase();
  db = openPatiently({ url: database.appUrl });
  jobsDb = openPatiently({ url: database.dispatcherUrl });
});
beforeEach(async () => {
  lines.length = 0;
  await forgetJobs(jobsDb);
  receiver = await startTraceReceiver();
  tracing = await open();
});
afterEach(async () => {
  await tracing.close();
  await receiver.close();
});
afterAll(async () => {
  await Promise.all([db.close(), jobsDb.close()]);
  await database.drop();
});

const open = (ratio = 1) => openTracing({ serviceName: 'suite', release: '1', exporterUrl: receiver.url, ratio, log });

type Run = (input: { payload: { n: number }; ctx: JobContext<Tx> }) => Promise<unknown>;
const run = (handlers: Record<string, Run>) =>
  runDueJobs({
    db,
    jobsDb,
    services: null,
    log,
    jobs: [first, next].map((job) => ({
      job: job as never,
      load: async () => defineHandler<{ n: number }, Tx, null>(job, (handlers[job.name] ?? (async () => {})) as never),
    })),
  });
const add = (job = first, n = 1) => withTenant(db, tenant, (tx) => enqueue(tx, job, { n }));

/** As a request would: something that was under way when the job was added. */
function request<Result>(work: () => Promise<Result>): Promise<Result> {
  return trace.getTracer('ballast').startActiveSpan('request', (span) => work().finally(() => span.end()));
}

/** All that was made so far. Closing waits for three seconds, and what it sends may arrive later, the last span with all before it. */
async function received(): Promise<Record<string, ReceivedSpan[]>> {
  trace.getTracer('ballast').startSpan('last').end();
  await tracing.close();
  await expect.poll(() => receiver.spans.at(-1)?.name).toBe('last');
  return Object.fromEntries(Map.groupBy(receiver.spans.slice(0, -1), (span) => span.name));
}
const outcomes = (spans: ReceivedSpan[] = []) => spans.map(({ attributes }) => attributes['job.outcome']);

it('goes on from the request through its job into the jobs of that one', async () => {
  const id = await request(() => add());
  await run({
    [first.name]: async ({ ctx }) => {
      ctx.log.info({}, 'in the handler');
      await ctx.transaction((tx) => enqueue(tx, next, { n: 2 }));
    },
  });
  const spans = await received();
  const [asked, ran, followed] = [spans.request?.[0], spans['job suite.first']?.[0], spans['job suite.next']?.[0]];
  expect(ran).toMatchObject({ traceId: asked?.traceId, parentId: asked?.spanId, kind: 5, status: 0 });
  expect(followed).toMatchObject({ traceId: asked?.traceId, parentId: ran?.spanId });
  expect(ran?.attributes).toEqual({
    'job.id': id,
    'job.attempt': 1,
    'job.queue': 'default',
    'job.tenant': tenant,
    'job.wait_ms': expect.any(Number),
    'job.outcome': 'done',
  });
  const line = logged().find(({ msg }) => msg === 'in the handler');
  expect(line).toMatchObject({ trace_id: ran?.traceId, span_id: ran?.spanId, jobId: id });
});

it('has one span for each start, beside the others', async () => {
  await request(() => add());
  const handlers: Record<string, Run> = {
    [first.name]: async ({ ctx }) => {
      throw ctx.attempt === 1 ? new TypeError('ada@acme.test') : new AppError('suite.gone', { public: 'Gone.' });
    },
  };
  await vi.waitFor(async () => expect(await run(handlers)).toMatchObject([{ state: 'dead' }]), { timeout: 60_000 });
  const spans = await received();
  const runs = spans['job suite.first'] ?? [];
  expect(runs.map(({ parentId, status }) => [parentId, status])).toEqual([
    [spans.request?.[0]?.spanId, 2],
    [spans.request?.[0]?.spanId, 2],
  ]);
  expect(outcomes(runs)).toEqual(['retried', 'dead']);
  expect(runs.map(({ attributes }) => attributes['error.type'])).toEqual(['TypeError', 'suite.gone']);
  expect(receiver.text()).not.toContain('ada@acme.test');
  // The line that reports the outcome is written after the run, and still belongs to it.
  expect(logged().find(({ msg }) => msg === 'job is dead')?.trace_id).toBe(runs[0]?.traceId);
});

it('tells every other outcome', async () => {
  await request(async () => {
    for (const n of [0, 1, 2]) await add(first, n);
  });
  const ends: (() => unknown)[] = [() => undefined, () => cancel('not needed'), () => snooze(600_000)];
  await run({ [first.name]: async ({ payload }) => ends[payload.n]?.() });
  expect(outcomes((await received())['job suite.first'])).toEqual(['done', 'cancelled', 'snoozed']);
});

it('begins anew for a schedule, for a job that adds its own kind, and for what nobody traced', async () => {
  const schedule = defineSchedule({ name: 'suite', job: next, payload: { n: 1 }, cron: '0 0 * * *' });
  await slotComes(jobsDb, schedule);
  await add();
  let rounds = 0;
  await run({
    [first.name]: async ({ ctx }) => {
      rounds += 1;
      if (rounds < 3) await ctx.transaction((tx) => enqueue(tx, first, { n: rounds }));
    },
  });
  const spans = await received();
  const firsts = spans['job suite.first'] ?? [];
  expect(firsts).toHaveLength(3);
  expect(new Set(firsts.map(({ traceId }) => traceId)).size).toBe(3);
  expect([...firsts, ...(spans['job suite.next'] ?? [])].map(({ parentId }) => parentId)).toEqual(['', '', '', '']);
});

it('follows what was decided of keeping the trace', async () => {
  await tracing.close();
  tracing = await open(0);
  await request(() => add());
  await tracing.close();
  tracing = await open(1);
  await run({});
  expect(receiver.spans).toEqual([]);
  expect(await received()).toEqual({});
});

describe('a batch', () => {
  const many = defineJob({ name: 'suite.many', payload: z.strictObject({ n: z.int() }), batch: 10, attempts: 2 });
  const addMany = (n: number) => withTenant(db, tenant, (tx) => enqueue(tx, many, { n }));
  const runMany = (runBatch: BatchHandler<{ n: number }, Tx, null>['runBatch']) =>
    runDueJobs({
      db,
      jobsDb,
      services: null,
      log,
      jobs: [
        { job: many as never, load: async () => defineBatchHandler(many, runBatch) },
        { job: next as never, load: async () => defineHandler<{ n: number }, Tx, null>(next, async () => undefined) },
      ],
    });

  it('has one span, in a trace of its own, with a link to what asked for each of its jobs', async () => {
    const one = await request(() => addMany(1));
    const two = await request(() => addMany(2));
    await addMany(3);
    await runMany(async ({ items, ctx }) => {
      ctx.log.info({}, 'in the batch');
      await ctx.transaction(items.slice(0, 2), async (tx) => {
        await enqueue(tx, next, { n: 1 });
        return undefined;
      });
      return new Map([[items[2]?.jobId as string, snooze(600_000)]]);
    });
    const spans = await received();
    const [ran, ...more] = spans['job suite.many'] ?? [];
    expect(more).toEqual([]);
    expect(ran).toMatchObject({ parentId: '', kind: 5, status: 0 });
    expect(spans.request?.map((span) => span.traceId)).not.toContain(ran?.traceId);
    expect(ran?.links).toEqual(
      [one, two].map((id, at) => ({
        traceId: spans.request?.[at]?.traceId,
        spanId: spans.request?.[at]?.spanId,
        attributes: { 'job.id': id, 'job.attempt': 1 },
      })),
    );
    expect(ran?.attributes).toEqual({
      'job.queue': 'default',
      'job.tenant': tenant,
      'job.wait_ms': expect.any(Number),
      'messaging.batch.message_count': 3,
      'job.outcome.done': 2,
      'job.outcome.snoozed': 1,
    });
    // What it adds is caused by it, and its lines are found by it.
    expect(spans['job suite.next']?.[0]).toMatchObject({ traceId: ran?.traceId, parentId: ran?.spanId });
    expect(logged().find(({ msg }) => msg === 'in the batch')).toMatchObject({ trace_id: ran?.traceId });
  });

  it('that throws says so, by the kind of the error and not by its words', async () => {
    await addMany(1);
    await runMany(async () => {
      throw new TypeError('ada@acme.test');
    });
    const ran = (await received())['job suite.many']?.[0];
    expect(ran).toMatchObject({ status: 2, attributes: { 'error.type': 'TypeError', 'job.outcome.retried': 1 } });
    expect(receiver.text()).not.toContain('ada@acme.test');
  });
});

it.each(['no trace', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n', ''])(
  'does not believe a row with the malformed %j',
  async (malformed) => {
    const id = await request(() => add());
    await jobsDb.sql`update jobs.job set trace = ${malformed} where id = ${id}`;
    expect(await run({})).toMatchObject([{ state: 'done' }]);
    const spans = await received();
    expect(spans['job suite.first']?.[0]).toMatchObject({ parentId: '' });
    expect(spans['job suite.first']?.[0]?.traceId).not.toBe(spans.request?.[0]?.traceId);
  },
);

it('keeps nothing with a job when off, and runs what was added when it was on', async () => {
  await request(() => add());
  await tracing.close();
  await request(() => add());
  const kept = await jobsDb.sql<{ trace: string | null }[]>`select trace from jobs.job order by id`;
  expect(kept.map((row) => row.trace === null)).toEqual([false, true]);
  expect(await run({})).toMatchObject([{ state: 'done' }, { state: 'done' }]);
  await expect.poll(() => receiver.spans.map(({ name }) => name)).toEqual(['request']);
  expect(logged().some((line) => 'trace_id' in line)).toBe(false);
});
