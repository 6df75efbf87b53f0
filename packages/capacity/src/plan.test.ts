import { describe, expect, it } from 'vitest';
import type { MeasuredCosts } from './costs.ts';
import { limits, plan } from './plan.ts';
import { predict } from './predict.ts';

const costs: MeasuredCosts = {
  measuredOn: '2026-01-01',
  commit: 'none',
  machine: 'made up, with round figures',
  request: {
    processMicroseconds: 1_000,
    postgresMicroseconds: 500,
    postgresStatements: 5,
    walBytes: 1_000,
    redisMicroseconds: 50,
    redisCommands: 2,
  },
  job: {
    processMicroseconds: 200,
    postgresMicroseconds: 100,
    postgresStatements: 2,
    walBytes: 2_000,
    redisMicroseconds: 10,
    redisCommands: 1,
  },
};
const base = {
  slotsPerWorker: 10,
  poolSize: 10,
  postgresCores: 4,
  postgresConnections: 97,
  walBytesPerSecond: 50_000_000,
};
const load = { requestsPerSecond: 1_000, jobsPerSecond: 1_000, handlerMs: 20 };
const used = (name: string, deployment = { ...base, apiReplicas: 2, workerReplicas: 4 }) =>
  predict(costs, load, deployment).stations.find((station) => station.name === name)?.utilisation;

describe('predict', () => {
  it('adds up what each part is asked for', () => {
    expect(used('api')).toBeCloseTo(0.5);
    // 20 ms of the handler, and 0.31 of what is around it.
    expect(used('worker slots')).toBeCloseTo(0.508, 3);
    expect(used('postgres processor')).toBeCloseTo(0.15);
    expect(used('wal')).toBeCloseTo(0.06);
    expect(used('redis-queue')).toBeCloseTo(0.01);
    expect(used('postgres connections')).toBeCloseTo((2 * 16 + 4 * 38) / 97);
  });

  it('knows of no end above a limit', () => {
    const { requestMs, jobWaitMs } = predict(costs, load, { ...base, apiReplicas: 1, workerReplicas: 2 });
    expect(requestMs.mean).toBe(Infinity);
    expect(jobWaitMs.p99).toBe(Infinity);
  });

  it('shortens waits with every replica, down to the time of the work itself', () => {
    const times = [2, 3, 8, 1_000].map(
      (apiReplicas) => predict(costs, load, { ...base, apiReplicas, workerReplicas: 4 }).requestMs.mean,
    );
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(times.at(-1)).toBeGreaterThan(1.55);
    expect(times.at(-1)).toBeLessThan(1.6);
  });
});

describe('plan', () => {
  it('takes the fewest replicas below the goal', () => {
    const { deployment, prediction } = plan(costs, load, base);
    expect(deployment).toMatchObject({ apiReplicas: 2, workerReplicas: 4 });
    for (const { replicas, utilisation } of prediction.stations) {
      if (replicas) expect(utilisation).toBeLessThanOrEqual(0.6);
    }
  });

  it('names what replicas cannot relieve', () => {
    expect(plan(costs, load, base).full.map(({ name }) => name)).toEqual(['postgres connections']);
  });

  it('orders the limits by nearness', () => {
    const found = limits(costs, load, base);
    expect(found[0]?.station).toBe('postgres connections');
    expect(found.map(({ times }) => times)).toEqual(found.map(({ times }) => times).toSorted((a, b) => a - b));
    expect(found.find(({ station }) => station === 'redis-queue')?.times).toBeCloseTo(100);
  });
});
