import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { ratioOf } from '../../statistics.ts';
import { interleave } from '../rounds.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { countStatements, describeStatements, type StatementCost } from '../statements.ts';
import type { Place } from '../system.ts';
import { ballast } from '../systems/ballast.ts';

interface Drained {
  /** Microseconds a job of worker, Redis and Postgres. */
  processorTime: number;
  buffersPerClaimedRow: number;
  redisBytes: number;
}

/** The same jobs drained from a long line and from a short one. */
export const backlog: Scenario = {
  name: 'backlog',
  async run(stage, { quick, rounds, rows, say, statements }) {
    const long = quick ? Math.min(rows, 150_000) : rows;
    const count = quick ? 5_000 : 20_000;
    // Enough for what the worker takes while it warms up.
    const short = quick ? 60_000 : 120_000;
    const runs = [long, short].map((waiting) => () => drain(stage, waiting, count, statements ? say : undefined));
    const [own = [], base = []] = await interleave(rounds ?? (quick ? 1 : 3), runs);
    const of = (pick: (one: Drained) => number) => [own.map(pick), base.map(pick)] as const;
    const show = (figures: readonly number[]) => figures.map((figure) => figure.toFixed(1)).join(', ');
    const [cost, baseCost] = of((one) => one.processorTime);
    const [buffers, baseBuffers] = of((one) => one.buffersPerClaimedRow);
    const [memory, baseMemory] = of((one) => one.redisBytes);
    say(
      `  ${long} waiting: ${show(cost)} µs a job, ${show(buffers)} buffers a claimed row, Redis ${show(memory)} bytes`,
    );
    say(
      `  ${short} waiting: ${show(baseCost)} µs a job, ${show(baseBuffers)} buffers, Redis ${show(baseMemory)} bytes`,
    );
    const five = buffers.map(() => 5);
    return [
      {
        name: `${long} waiting, processor time a job`,
        baseline: `${short} waiting`,
        ratio: ratioOf(cost, baseCost),
        goal: '≤ 1.1',
      },
      { name: `${long} waiting, buffers a claimed row`, baseline: '5', ratio: ratioOf(buffers, five), goal: '≤ 1' },
      {
        name: `${long} waiting, Redis memory`,
        baseline: `${short} waiting`,
        ratio: ratioOf(memory, baseMemory),
        goal: '≤ 1.1',
      },
    ];
  },
};

async function drain(stage: Stage, waiting: number, count: number, say?: (line: string) => void): Promise<Drained> {
  const crew = await stage.enter(ballast, { fill: (place) => fill(stage, place, waiting) });
  try {
    await crew.worker.order({ do: 'drain', count: 2_000 });
    await sleep(3_500);
    const before = await crew.processorTime();
    await crew.worker.order({ do: 'drain', count });
    const after = await crew.processorTime();
    const counting = await countStatements(stage.admin, crew.database);
    await crew.worker.order({ do: 'drain', count: Math.floor(count / 4) });
    const info = await stage.redis.info('memory');
    const statements = await counting.stop();
    if (say) {
      say(`  ${waiting} waiting:`);
      for (const line of describeStatements(statements, Math.floor(count / 4))) say(line);
    }
    const total = (spent: typeof before) => spent.worker + spent.redis + spent.postgres;
    return {
      processorTime: (total(after) - total(before)) / count,
      buffersPerClaimedRow: buffersOfClaims(statements),
      redisBytes: Number(/used_memory:(\d+)/.exec(info)?.[1]),
    };
  } finally {
    await crew.leave();
  }
}

/** A claim: the statement that takes rows which nobody holds, and the one that moves them into packs. */
function buffersOfClaims(statements: readonly StatementCost[]): number {
  const claims = statements.filter(({ text }) => /^\s*with (recursive line|taken) /.test(text));
  const rows = Math.max(...claims.map((claim) => claim.rows));
  return claims.reduce((sum, { buffers }) => sum + buffers, 0) / rows;
}

async function fill(stage: Stage, place: Place, waiting: number): Promise<void> {
  const producer = await ballast.openProducer(place);
  const size = 2_000;
  for (let from = 0; from < waiting; from += size) {
    await producer.addBatch(Array.from({ length: Math.min(size, waiting - from) }, (_, index) => from + index));
  }
  await producer.close();
  const owner = postgres(place.adminUrl, { max: 1 });
  await owner`vacuum analyze`;
  await owner.end();
  await stage.admin`checkpoint`;
}
