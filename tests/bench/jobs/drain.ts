import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '@ballast/db';
import { pauseQueue, resumeQueue } from '@ballast/jobs/control';
import postgres from 'postgres';
import type { Crew, Stage } from './stage.ts';
import { countStatements, describeStatements, type StatementCost } from './statements.ts';
import type { Place } from './system.ts';
import { ballast } from './systems/ballast.ts';

export interface Drained {
  /** Microseconds a job of worker, Redis and Postgres; adding it is not in it. */
  processorTime: number;
  buffersPerClaimedRow: number;
  redisBytes: number;
}

/** Lays so many jobs ready. What it gives back runs as many, to the end. */
type LayReady = (jobs: number) => Promise<() => Promise<unknown>>;

/** Jobs that have waited since before the worker started, and behind them the rest of `waiting`. */
export async function drainBacklog(stage: Stage, waiting: number, count: number, say?: Say): Promise<Drained> {
  const crew = await stage.enter(ballast, { fill: (place) => fill(stage, place, waiting) });
  try {
    // As many as are measured: what runs alone is as warm.
    await crew.worker.order({ do: 'drain', count });
    await sleep(3_500);
    const drain: LayReady = async (jobs) => () => crew.worker.order({ do: 'drain', count: jobs });
    return await measureDrain(stage, crew, drain, count, say);
  } finally {
    await crew.leave();
  }
}

/**
 * As many jobs with nothing before or behind them. The worker has run `first` others until none was left, so it is at least as
 * warm as with a backlog; the queue is paused while the jobs are added, and they are left as the backlog's are (`rest`).
 */
export async function drainAlone(stage: Stage, first: number, count: number, say?: Say): Promise<Drained> {
  const crew = await stage.enter(ballast, { fill: (place) => fill(stage, place, first) });
  const operator = openDatabase({
    url: crew.place.dispatcherUrl,
    applicationName: 'bench-operator',
    maxConnections: 1,
  });
  try {
    await crew.worker.order({ do: 'expect', count: first });
    return await measureDrain(
      stage,
      crew,
      async (jobs) => {
        await pauseQueue(operator, 'default');
        await crew.producer.order({ do: 'batches', count: jobs, size: 2_000 });
        await rest(stage, crew.place);
        return async () => {
          const drained = crew.worker.order({ do: 'drain', count: jobs });
          await resumeQueue(operator, 'default');
          await drained;
          // In a backlog the worker goes on, and pays for the outcomes of jobs before; here the last outcomes are waited for.
          await packsEnded(operator.sql);
        };
      },
      count,
      say,
    );
  } finally {
    await operator.close();
    await crew.leave();
  }
}

type Say = (line: string) => void;

async function measureDrain(stage: Stage, crew: Crew, layReady: LayReady, count: number, say?: Say): Promise<Drained> {
  const run = await layReady(count);
  const before = await crew.processorTime();
  await run();
  const after = await crew.processorTime();
  const counted = Math.floor(count / 4);
  const runCounted = await layReady(counted);
  const counting = await countStatements(stage.admin, crew.database);
  await runCounted();
  const info = await stage.redis.info('memory');
  const statements = await counting.stop();
  if (say) for (const line of describeStatements(statements, counted)) say(line);
  const total = (spent: typeof before) => spent.worker + spent.redis + spent.postgres;
  return {
    processorTime: (total(after) - total(before)) / count,
    buffersPerClaimedRow: buffersOfClaims(statements),
    redisBytes: Number(/used_memory:(\d+)/.exec(info)?.[1]),
  };
}

/** A claim: the statement that takes rows which nobody holds, and the one that moves them into packs. */
function buffersOfClaims(statements: readonly StatementCost[]): number {
  const claims = statements.filter(({ text }) => /^\s*with (recursive line|taken) /.test(text));
  const rows = Math.max(...claims.map((claim) => claim.rows));
  return claims.reduce((sum, { buffers }) => sum + buffers, 0) / rows;
}

async function packsEnded(sql: postgres.Sql): Promise<void> {
  while ((await sql`select from jobs.pack limit 1`).length > 0) await sleep(3);
}

async function fill(stage: Stage, place: Place, waiting: number): Promise<void> {
  const producer = await ballast.openProducer(place);
  const size = 2_000;
  for (let from = 0; from < waiting; from += size) {
    await producer.addBatch(Array.from({ length: Math.min(size, waiting - from) }, (_, index) => from + index));
  }
  await producer.close();
  await rest(stage, place);
}

/** As rows are that have waited for some minutes: vacuum has passed them, and a checkpoint has written them. */
async function rest(stage: Stage, place: Place): Promise<void> {
  const owner = postgres(place.adminUrl, { max: 1 });
  await owner`vacuum analyze`;
  await owner.end();
  await stage.admin`checkpoint`;
}
