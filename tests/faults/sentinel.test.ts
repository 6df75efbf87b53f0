/**
 * A queue behind Sentinel: its primary dies, or hangs, and a replica that has not heard
 * of everything takes its place. What that loses is swept within a minute.
 */
import { queueBackends } from '@ballast/test-kit/queue';
import { startSentinels } from '@ballast/test-kit/sentinel';
import { Redis } from 'ioredis';
import { describe, expect, test, vi } from 'vitest';
import { goalMs, on, someDone } from './stage.ts';

if (queueBackends.includes('redis')) {
  describe.concurrent('a queue’s Redis behind Sentinel', { timeout: 3 * goalMs }, () => {
    for (const [how, signal] of [
      ['is killed', 'SIGKILL'],
      ['hangs', 'SIGSTOP'],
    ] as const) {
      test(`fails over when its primary ${how}, and what the replica had not heard of is swept`, () =>
        on('redis', async (stage) => {
          const primary = stage.queue.redis;
          if (!primary) throw new Error('This stage has no Redis.');
          const sentinels = await startSentinels(primary.port);
          const client = new Redis(primary.url);
          client.on('error', () => {});
          try {
            const slow = { BALLAST_FAILPOINTS: 'run.started=pause:300', REDIS_QUEUE_URL: sentinels.url };
            await stage.worker(slow);
            await stage.worker(slow);
            await stage.produce(8);
            await someDone(stage, 8);
            // The replica falls behind: its link is cut, and it does not notice.
            process.kill(sentinels.replica.pid, 'SIGSTOP');
            await client.call('CLIENT', 'KILL', 'TYPE', 'replica');
            await stage.produce(60, { from: 8 });
            await someDone(stage, 12);
            process.kill(primary.pid(), signal);
            const failedAt = performance.now();
            const packs = await stage.jobsDb.sql<{ id: string }[]>`select id from jobs.pack`;
            process.kill(sentinels.replica.pid, 'SIGCONT');
            await vi.waitFor(async () => expect(await sentinels.primaryPort()).toBe(sentinels.replica.port), {
              timeout: goalMs,
              interval: 100,
            });
            const promoted = new Redis(sentinels.replica.port);
            const known = await promoted.exists(packs.map((pack) => `bull:default:${pack.id}`));
            promoted.disconnect();
            expect(known).toBeLessThan(packs.length);
            await stage.allDoneOnce(68);
            expect(performance.now() - failedAt).toBeLessThan(goalMs);
          } finally {
            client.disconnect();
            await sentinels.stop();
          }
        }));
    }
  });
}
