/**
 * The queue Redis and its append-only file: rows 15 and 16 of the fault table. A full
 * disk is a file at its limit (`prlimit`), which fails the same write in Redis and needs
 * neither root nor a file system of its own.
 */
import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { queueBackends } from '@ballast/test-kit/queue';
import { startStopwatch } from '@ballast/test-kit/stopwatch';
import { Redis } from 'ioredis';
import { describe, expect, test, vi } from 'vitest';
import { findProgram } from '../../scripts/test/programs.ts';
import { consumingWithinMs, goalMs, on, type Stage, someDone, untilMoreDone } from './stage.ts';

/** Long enough that jobs wait and run when the fault comes. */
const slow = { BALLAST_FAILPOINTS: 'run.started=pause:200' };

/** The file that Redis appends to at the moment. */
async function growingFile(directory: string): Promise<string> {
  const folder = join(directory, 'appendonlydir');
  const name = (await readdir(folder)).find((file) => file.endsWith('.incr.aof'));
  return join(folder, name ?? '');
}

const redisOf = (stage: Stage) => {
  if (!stage.queue.redis) throw new Error('This stage has no Redis.');
  return stage.queue.redis;
};

if (queueBackends.includes('redis')) {
  describe.concurrent('a queue’s Redis', { timeout: 3 * goalMs }, () => {
    for (const [kept, share] of [
      ['half', 0.5],
      ['the beginning', 0.1],
    ] as const) {
      test(`is killed and comes back with ${kept} of its append-only file (row 15)`, () =>
        on('redis', async (stage) => {
          await stage.worker(slow);
          await stage.produce(40);
          await someDone(stage, 4);
          await redisOf(stage).restart(500, {
            signal: 'SIGKILL',
            async whileDown(directory) {
              const file = await growingFile(directory);
              const { size } = await stat(file);
              expect(size).toBeGreaterThan(1_000);
              await truncate(file, Math.floor(size * share));
            },
          });
          await stage.allDoneOnce(40);
        }));
    }

    if (!findProgram('prlimit')) return;

    test('has a full disk: writes go on, nothing is lost, and it recovers with the space (row 16)', () =>
      on('redis', async (stage) => {
        const redis = redisOf(stage);
        await stage.worker(slow);
        await stage.produce(30);
        await someDone(stage, 4);
        redis.limitFiles((await stat(await growingFile(redis.directory))).size + 512);
        const client = new Redis(redis.url);
        // It refuses writes once one of its own has failed.
        await vi.waitFor(
          async () =>
            expect(await client.set('some', 'thing').catch((error: Error) => error.message)).toMatch(/MISCONF/),
          { timeout: goalMs, interval: 100 },
        );
        const watch = startStopwatch();
        await stage.produce(20, { from: 30 });
        expect(watch.stop()).toBeLessThan(2_000);
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        expect((await stage.states()).done ?? 0).toBeLessThan(50);
        redis.limitFiles(null);
        expect(await untilMoreDone(stage)).toBeLessThan(consumingWithinMs);
        await stage.allDoneOnce(50);
        client.disconnect();
      }));
  });
}
