import { openTransport, type Transport } from '@ballast/jobs/transport';
import type { Log } from '@ballast/kernel';
import type { TestDatabase } from './database.ts';
import { hasRedis, startRedis, type TestRedis } from './redis.ts';

/** The backends that this machine can run; suites about jobs run on each. */
export const queueBackends: readonly ('postgres' | 'redis')[] = hasRedis() ? ['postgres', 'redis'] : ['postgres'];

export interface TestQueue {
  /** A transport of its own for each caller, as processes have. */
  open(): Transport;
  redis: TestRedis | null;
  stop(): Promise<void>;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** The queue of a suite: BullMQ's tables in the suite's database, or a Redis of its own. */
export async function startQueue(
  backend: 'postgres' | 'redis',
  database: TestDatabase,
  log: Log = silentLog,
  redisFlags: readonly string[] = [],
): Promise<TestQueue> {
  if (backend === 'postgres') {
    const open = () => openTransport({ postgresUrl: database.dispatcherUrl }, log);
    return { open, redis: null, stop: async () => {} };
  }
  const redis = await startRedis(redisFlags);
  return { open: () => openTransport({ redisUrl: redis.url }, log), redis, stop: () => redis.stop() };
}
