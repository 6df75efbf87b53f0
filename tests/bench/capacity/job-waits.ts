import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { openDatabase, withTenant } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import { createTestDatabase } from '@ballast/test-kit/database';
import type { Stage } from '../jobs/stage.ts';
import { createEffectTable, tenant } from '../jobs/systems/effect-table.ts';
import { percentile } from '../statistics.ts';
import { openLoop } from './open-loop.ts';
import { nap } from './sleeper-process.ts';

export interface Waits {
  meanMs: number;
  p99Ms: number;
}

/** How long jobs waited for a slot with so many workers, from their commit to their handler. */
export async function measureWaits(
  stage: Stage,
  options: { workers: number; slots: number; sleepMs: number; perSecond: number; durationMs: number },
): Promise<Waits> {
  await stage.redis.flushall();
  const database = await createTestDatabase();
  const place = { ...database, redisUrl: stage.redisUrl };
  await createEffectTable(place);
  const waits: number[] = [];
  const workers = await Promise.all(
    Array.from({ length: options.workers }, () =>
      startSleeper({
        APP_URL: place.appUrl,
        DISPATCHER_URL: place.dispatcherUrl,
        REDIS_URL: place.redisUrl,
        SLEEP_MS: String(options.sleepMs),
        SLOTS: String(options.slots),
      }),
    ),
  );
  const db = openDatabase({ url: place.appUrl, applicationName: 'bench-producer', maxConnections: 8 });
  const send = async () => {
    await withTenant(db, tenant, (tx) => enqueue(tx, nap, {}));
    return true;
  };
  try {
    // The dispatcher learns how long a job takes before anything is counted.
    await openLoop(options.perSecond, 5_000, send);
    for (const worker of workers) worker.on('message', (wait: number) => waits.push(wait));
    await openLoop(options.perSecond, options.durationMs, send);
  } finally {
    for (const worker of workers) worker.kill('SIGKILL');
    await db.close();
    await database.drop();
  }
  return { meanMs: waits.reduce((sum, wait) => sum + wait, 0) / waits.length, p99Ms: percentile(waits, 99) };
}

function startSleeper(env: Record<string, string>): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'sleeper-process.ts'), { env: { ...process.env, ...env } });
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child));
    child.once('exit', (code) => reject(new Error(`A worker ended (${code}).`)));
  });
}
