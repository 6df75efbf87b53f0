import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { createTestDatabase } from '@ballast/test-kit/database';
import { startPostgres } from '@ballast/test-kit/embedded-postgres';
import { startRedis } from '@ballast/test-kit/redis';
import { createTemplate } from '@ballast/test-kit/template';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { parentOf, processorTime } from '../processor-time.ts';
import { trackStatements } from './statements.ts';
import type { Place, System, Work } from './system.ts';
import type { Answer, Assignment, Order } from './system-process.ts';

/** Two servers for the whole suite: a durable Postgres, and a Redis with the queue's settings. */
export interface Stage {
  /** A new place with a producer and a worker process of one system. What it leaves is removed by `leave`. */
  enter(system: System, options?: { work?: Work; slots?: number; fill?(place: Place): Promise<void> }): Promise<Crew>;
  redis: Redis;
  redisUrl: string;
  /** Superuser of the server, outside the places' databases. */
  admin: postgres.Sql;
  close(): Promise<void>;
}

export interface Crew {
  database: string;
  place: Place;
  producer: Member;
  worker: Member;
  /** Processor time so far of both, of Redis and of Postgres with all its connections, in microseconds. */
  processorTime(): Promise<Spent>;
  leave(): Promise<void>;
}

export interface Spent {
  worker: number;
  producer: number;
  redis: number;
  postgres: number;
}

export interface Member {
  pid: number;
  order(order: Order): Promise<Answer>;
}

export async function openStage(): Promise<Stage> {
  const server = await startPostgres([
    'shared_preload_libraries=pg_stat_statements',
    // For insight into one run, for example `log_min_duration_statement=0`.
    ...(process.env.BENCH_POSTGRES ?? '').split(' ').filter(Boolean),
  ]);
  process.env.BALLAST_TEST_POSTGRES = server.adminUrl;
  process.env.BALLAST_TEST_TEMPLATE = await createTemplate(server.adminUrl);
  const redisServer = await startRedis();
  const redis = new Redis(redisServer.url);
  const admin = postgres(server.adminUrl, { max: 1, onnotice: () => {} });
  await trackStatements(admin, 'none');
  const [backend] = await admin<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const postmaster = await parentOf(backend?.pid ?? 0);

  return {
    redis,
    redisUrl: redisServer.url,
    admin,
    async enter(system, { work = 'nothing', slots = 16, fill } = {}) {
      await redis.flushall();
      const database = await createTestDatabase();
      const place: Place = { ...database, redisUrl: redisServer.url };
      await system.prepare(place);
      await fill?.(place);
      // Nobody pays for another run's dirty pages.
      await admin`checkpoint`;
      const assignment = { system: system.name, place, work, slots };
      const members = await Promise.all([
        start({ ...assignment, role: 'producer' }),
        start({ ...assignment, role: 'worker' }),
      ]);
      const [producer, worker] = members;
      return {
        database: database.name,
        place,
        producer,
        worker,
        async processorTime() {
          const [ofWorker, ofProducer, ofRedis, ofPostgres] = await Promise.all([
            processorTime(worker.pid),
            processorTime(producer.pid),
            processorTime(redisServer.pid()),
            processorTime(postmaster, true),
          ]);
          return { worker: ofWorker, producer: ofProducer, redis: ofRedis, postgres: ofPostgres };
        },
        async leave() {
          for (const member of members) await member.end();
          await database.drop();
        },
      };
    },
    async close() {
      redis.disconnect();
      await admin.end();
      await redisServer.stop();
      await server.stop();
    },
  };
}

/** A process that takes orders. When it dies, the order under way fails with it. */
async function start(assignment: Assignment): Promise<Member & { end(): Promise<void> }> {
  const child = fork(join(import.meta.dirname, 'system-process.ts'), {
    env: { ...process.env, NODE_ENV: 'production', BENCH_ASSIGNMENT: JSON.stringify(assignment) },
    execArgv: (process.env[`BENCH_NODE_${assignment.role.toUpperCase()}`] ?? '').split(' ').filter(Boolean),
  });
  const what = `The ${assignment.role} of ${assignment.system}`;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await said(child, what);
  return {
    pid: child.pid as number,
    async order(order) {
      const answer = said(child, what);
      child.send(order);
      return (await answer) as Answer;
    },
    async end() {
      child.send('close');
      await exited;
    },
  };
}

function said(child: ChildProcess, what: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`${what} ended (${code}).`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}
