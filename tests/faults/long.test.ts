/**
 * Handlers that run for longer than the queue's lock (16 s) and the silence that means
 * death (15 s): row 5 of the fault table, and a queue that loses its keys under them.
 */
import { queueBackends } from '@ballast/test-kit/queue';
import { Redis } from 'ioredis';
import { describe, expect, test, vi } from 'vitest';
import { goalMs, on, type Stage, saying, someDone } from './stage.ts';

/** Longer than the lock, the silence and the sweep after it. */
const longMs = 27_000;

async function withRedis(stage: Stage, work: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(stage.queue.redis?.url ?? '');
  await work(redis);
  redis.disconnect();
}

describe.concurrent.each(queueBackends)('long work on %s', { timeout: 3 * goalMs }, (backend) => {
  test('that blocks the event loop is done once, and is seen in the metrics (row 5)', () =>
    on(backend, async (stage) => {
      const victim = await stage.worker({ FAULT_HANDLER: 'block', FAULT_MS: String(longMs) });
      const blocked = saying(victim, 'blocked');
      await stage.produce(12);
      await blocked;
      await stage.worker();
      await stage.allDoneOnce(12);
      let said = '';
      victim.stdout?.on('data', (chunk) => {
        said += chunk;
      });
      await vi.waitFor(
        () => {
          victim.kill('SIGUSR1');
          const [, seconds] = /^ballast_event_loop_stalled_seconds_total (\S+)$/m.exec(said) ?? [];
          expect(Number(seconds)).toBeGreaterThan(longMs / 1_000 - 1);
        },
        { timeout: goalMs, interval: 500 },
      );
      // Its own end of row 0 came too late, and rolled back.
      await stage.allDoneOnce(12);
    }));

  test('is left to its living worker, however long', () =>
    on(backend, async (stage) => {
      const worker = await stage.worker({ FAULT_HANDLER: 'long', FAULT_MS: String(longMs) });
      const started = saying(worker, 'started');
      await stage.worker({ FAULT_HANDLER: 'long', FAULT_MS: String(longMs) });
      await stage.produce(12);
      await started;
      await stage.allDoneOnce(12);
      await stage.startedOnce();
    }));

  if (backend !== 'redis') return;

  test('finishes, once, when the queue is wiped under it and a replica boots right after', () =>
    on(backend, async (stage) => {
      const environment = { FAULT_HANDLER: 'long', FAULT_MS: String(longMs) };
      await stage.worker({ ...environment, BALLAST_FAILPOINTS: 'run.started=pause:300' });
      await stage.produce(40);
      await someDone(stage, 4);
      await withRedis(stage, (redis) => redis.flushall());
      await stage.worker(environment);
      await stage.allDoneOnce(40);
      await stage.startedOnce();
    }));

  test('finishes, once, when the key of its pack is deleted', () =>
    on(backend, async (stage) => {
      const worker = await stage.worker({ FAULT_HANDLER: 'long', FAULT_MS: String(longMs) });
      const started = saying(worker, 'started');
      await stage.produce(1);
      await started;
      await withRedis(stage, async (redis) => {
        const [active] = await redis.lrange('bull:default:active', 0, -1);
        expect(await redis.del(`bull:default:${active}`)).toBe(1);
      });
      // Beside it, the queue goes on.
      await stage.produce(8, { from: 1 });
      await someDone(stage, 8);
      await stage.allDoneOnce(9);
      await stage.startedOnce();
    }));
});
