import { connect, createServer, type Server, type Socket } from 'node:net';
import { withTenant } from '@ballast/db';
import { cancelJob, holdJobs, pauseQueue, releaseJobs } from '@ballast/jobs/control';
import { enqueueMany } from '@ballast/jobs/enqueue';
import { forgetJobs } from '@ballast/jobs/testing';
import { defineJob } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { type Metrics, openMetrics } from './metrics.ts';
import { backlogMetrics } from './metrics-backlog.ts';
import { parseMetrics } from './testing/parse-metrics.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });

const { database, db, jobsDb, close } = await openTestPools();

afterAll(close);

/** Postgres behind a door that can be shut, or kept open without an answer. */
async function door(url: string) {
  const { hostname, port: behind } = new URL(url);
  const sockets = new Set<Socket>();
  let mute = false;
  const server: Server = createServer((socket) => {
    const inner = connect(Number(behind), hostname);
    for (const one of [socket, inner]) {
      sockets.add(one);
      one.on('error', () => {});
    }
    socket.on('data', (data) => mute || inner.write(data));
    inner.on('data', (data) => mute || socket.write(data));
    socket.on('close', () => inner.destroy());
    inner.on('close', () => socket.destroy());
  });
  const listen = (port = 0) => new Promise<void>((done) => server.listen(port, '127.0.0.1', () => done()));
  await listen();
  const { port } = server.address() as { port: number };
  const front = new URL(url);
  front.port = String(port);
  return {
    url: front.href,
    shut: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((done) => server.close(done));
    },
    open: () => listen(port),
    mute: (on: boolean) => {
      mute = on;
    },
  };
}

/** A scrape that Postgres answered. It is given three seconds, and the machine may stand still for as long. */
async function scrapeUp(metrics: Metrics): Promise<Map<string, number>> {
  let samples = new Map<string, number>();
  await expect
    .poll(
      async () => {
        samples = parseMetrics(await metrics.scrape());
        return samples.get('ballast_postgres_up');
      },
      { timeout: 60_000 },
    )
    .toBe(1);
  return samples;
}

it('reads what waits at the scrape, and says when Postgres is down instead of failing', async () => {
  const postgres = await door(database.dispatcherUrl);
  const metrics = openMetrics({ service: 'worker', release: '1', modules: [] });
  const close = backlogMetrics(metrics, { databaseUrl: postgres.url, applicationName: 'suite', freshMs: 0 });
  const scrape = async () => parseMetrics(await metrics.scrape());
  const queues = (samples: Map<string, number>) =>
    [...samples.keys()].filter((name) => name.startsWith('ballast_queue_'));

  await scrapeUp(metrics);
  await withTenant(db, tenant, (tx) =>
    enqueueMany(tx, task, [
      { payload: {}, runAt: new Date(Date.now() - 60_000) },
      { payload: {}, runAt: new Date(Date.now() + 600_000) },
    ]),
  );
  const up = await scrapeUp(metrics);
  expect(up.get('ballast_queue_pending_jobs{queue="default"}')).toBe(2);
  expect(up.get('ballast_queue_due_jobs{queue="default"}')).toBe(1);
  expect(up.get('ballast_queue_oldest_due_seconds{queue="default"}')).toBeGreaterThanOrEqual(60);
  expect(up.get('ballast_queue_paused{queue="default"}')).toBe(0);

  await holdJobs(jobsDb, { name: task.name });
  const held = await scrapeUp(metrics);
  expect(held.get('ballast_queue_held_jobs{queue="default"}')).toBe(2);
  expect(held.get('ballast_queue_pending_jobs{queue="default"}')).toBe(0);

  const held1 = 'ballast_jobs_operated_total{act="held",job="suite.task",queue="default"}';
  expect(held.get(held1)).toBe(2);
  const [one] = await jobsDb.sql<{ id: string }[]>`select id from jobs.job limit 1`;
  await cancelJob(jobsDb, one?.id as string);
  await releaseJobs(jobsDb, {});
  const acts = await scrapeUp(metrics);
  for (const [act, times] of [
    ['held', 2],
    ['cancelled', 1],
    ['released', 1],
  ] as const) {
    expect(acts.get(held1.replace('held', act))).toBe(times);
  }

  await postgres.shut();
  const down = await scrape();
  expect(down.get('ballast_postgres_up')).toBe(0);
  expect(queues(down)).toEqual([]);
  expect(down.has('process_cpu_seconds_total')).toBe(true);

  await postgres.open();
  await scrapeUp(metrics);

  postgres.mute(true);
  const startedAt = performance.now();
  expect((await scrape()).get('ballast_postgres_up')).toBe(0);
  // Prometheus gives up after ten seconds.
  expect(performance.now() - startedAt).toBeLessThan(9_000);
  await postgres.shut();
  await close();
  metrics.close();
});

it('tells of each queue what is in flight, dead, parked and paused', async () => {
  const metrics = openMetrics({ service: 'worker', release: '1', modules: [] });
  const close = backlogMetrics(metrics, {
    databaseUrl: database.dispatcherUrl,
    applicationName: 'suite-states',
    freshMs: 0,
  });
  await forgetJobs(jobsDb);
  const ids = await withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      task,
      Array.from({ length: 6 }, () => ({ payload: {} })),
    ),
  );
  const [first, second, third, dead, parked] = ids as [string, string, string, string, string];
  await jobsDb.sql`delete from jobs.due where job_id <> ${ids[5] as string}`;
  await jobsDb.sql`
    insert into jobs.pack (id, queue, name, job_ids)
    values (${first}, 'default', ${task.name}, ${[first, second, third]}::uuid[])`;
  await jobsDb.sql`update jobs.job set state = 'dead', ended_at = now() where id = ${dead}`;
  await jobsDb.sql`insert into jobs.dead (job_id, queue, name) values (${dead}, 'default', ${task.name})`;
  await jobsDb.sql`
    insert into jobs.aside (job_id, why, queue, name, version) values (${parked}, 'parked', 'default', ${task.name}, 1)`;
  await pauseQueue(jobsDb, 'default');
  const samples = await scrapeUp(metrics);
  const told = ['pending_jobs', 'due_jobs', 'in_flight_jobs', 'dead_jobs', 'parked_jobs', 'held_jobs', 'paused'];
  expect(told.map((name) => samples.get(`ballast_queue_${name}{queue="default"}`))).toEqual([1, 1, 3, 1, 1, 0, 1]);
  await close();
  metrics.close();
});

it('asks Postgres once for all that scrape while its answer is fresh', async () => {
  const metrics = openMetrics({ service: 'worker', release: '1', modules: [] });
  const close = backlogMetrics(metrics, {
    databaseUrl: database.dispatcherUrl,
    applicationName: 'suite-cached',
    freshMs: 60_000,
  });
  await Promise.all([metrics.scrape(), metrics.scrape()]);
  const asked = async () => {
    const [row] = await db.sql<{ started: string }[]>`
      select max(query_start)::text as started from pg_stat_activity where application_name = 'suite-cached'`;
    return row?.started;
  };
  const before = await asked();
  await metrics.scrape();
  expect(await asked()).toBe(before);
  await close();
  metrics.close();
});
