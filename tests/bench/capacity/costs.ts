import type { Costs } from '@ballast/capacity/costs';
import type { Stage } from '../jobs/stage.ts';
import { ballast } from '../jobs/systems/ballast.ts';
import { processorTime } from '../processor-time.ts';
import { startApis } from './api-crew.ts';
import { openLoop } from './open-loop.ts';
import { countWork } from './spent.ts';

/** Below this nothing waits for anything, and above it a load generator on the same machine takes too much of it. */
const requestsPerSecond = 150;

/** One authenticated page of a tenant's table, asked of one API process. */
export async function requestCosts(stage: Stage, quick: boolean): Promise<{ costs: Costs; meanMs: number }> {
  const crew = await stage.enter(ballast);
  const apis = await startApis(crew.place, 1);
  const ask = (durationMs: number) => openLoop(requestsPerSecond, durationMs, apis.ask);
  try {
    const first = await ask(4_000);
    if (first.failed > 0) throw new Error(`${first.failed} requests failed: nothing to measure.`);
    const durationMs = quick ? 5_000 : 30_000;
    const readAll = async () => ({ crew: await crew.processorTime(), api: await processorTime(apis.pids[0] ?? 0) });
    const before = await readAll();
    const timed = await ask(durationMs);
    const after = await readAll();
    const requests = (timed.perSecond * durationMs) / 1_000;
    let asked = 0;
    const counted = await countWork(stage, crew.database, 1, async () => {
      asked = (await ask(durationMs / 2)).perSecond * (durationMs / 2_000);
    });
    return {
      meanMs: timed.meanMs,
      costs: {
        processMicroseconds: (after.api - before.api) / requests,
        postgresMicroseconds: (after.crew.postgres - before.crew.postgres) / requests,
        redisMicroseconds: (after.crew.redis - before.crew.redis) / requests,
        postgresStatements: counted.postgresStatements / asked,
        walBytes: counted.walBytes / asked,
        redisCommands: counted.redisCommands / asked,
      },
    };
  } finally {
    await apis.end();
    await crew.leave();
  }
}

/** One job that writes a row in its transaction, with its enqueueing in commits of ten. */
export async function jobCosts(stage: Stage, quick: boolean): Promise<Costs> {
  const crew = await stage.enter(ballast, { work: 'transaction' });
  const run = async (count: number) => {
    await Promise.all([
      crew.worker.order({ do: 'expect', count }),
      crew.producer.order({ do: 'batches', count, size: 10 }),
    ]);
  };
  try {
    await run(3_000);
    const count = quick ? 3_000 : 20_000;
    const before = await crew.processorTime();
    await run(count);
    const after = await crew.processorTime();
    const counted = await countWork(stage, crew.database, count, () => run(count));
    const each = (key: keyof typeof after) => (after[key] - before[key]) / count;
    return {
      processMicroseconds: each('worker'),
      postgresMicroseconds: each('postgres'),
      redisMicroseconds: each('redis'),
      ...counted,
    };
  } finally {
    await crew.leave();
  }
}
