import type { System } from '../system.ts';
import { ballast, ballastBatch, ballastEmbedded, ballastModules } from './ballast.ts';
import { bullmq, bullmqScoped } from './bullmq.ts';
import { bullmqEffects } from './bullmq-effects.ts';
import { bullmqPostgres } from './bullmq-postgres.ts';
import { graphileWorker } from './graphile-worker.ts';
import { pgBoss } from './pg-boss.ts';

/** By name: a child process is told which one it is. */
export const systems: Readonly<Record<string, System>> = Object.fromEntries(
  [
    ballast,
    ballastBatch,
    ballastEmbedded,
    ballastModules,
    bullmq,
    bullmqScoped,
    bullmqEffects,
    bullmqPostgres,
    pgBoss,
    graphileWorker,
  ].map((system) => [system.name, system]),
);
