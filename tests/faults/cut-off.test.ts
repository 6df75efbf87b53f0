/** A worker that has lost Postgres and still has Redis: it takes packs, renews their locks, and can open none of them. */
import { queueBackends } from '@ballast/test-kit/queue';
import { openTcpProxy } from '@ballast/test-kit/tcp-proxy';
import { expect, test, vi } from 'vitest';
import { exited, goalMs, on, someDone } from './stage.ts';

test.runIf(queueBackends.includes('redis'))(
  'what a worker took and cannot open runs where Postgres is, and the worker runs jobs again once it has it too',
  { timeout: 5 * goalMs },
  () =>
    on('redis', async (stage) => {
      const links = [
        await openTcpProxy(stage.database.appUrl),
        await openTcpProxy(stage.database.dispatcherUrl),
      ] as const;
      const [app, dispatcher] = links;
      // More slots than the other one may have packs under way: what they hold must not count against it either.
      await stage.worker({ FAULT_SLOTS: '8', APP_URL: app.url, DISPATCHER_URL: dispatcher.url });
      const healthy = await stage.worker({ FAULT_SLOTS: '2' });
      await stage.produce(4);
      await someDone(stage, 4);
      await Promise.all(links.map((link) => link.stop()));
      // The healthy one hands them out, and most of them to the one that is cut off.
      const cutAt = performance.now();
      await stage.produce(60, { from: 4 });
      const inVain = () => stage.jobsDb.sql`
        select 1 from jobs.pack where runner_id is null and dispatched_at < now() - interval '10 seconds'`;
      await vi.waitFor(async () => expect((await inVain()).length).toBeGreaterThan(4), {
        timeout: goalMs,
        interval: 200,
      });
      await stage.allDoneOnce(64);
      const ms = performance.now() - cutAt;
      process.stdout.write(`a worker cut off from Postgres alone: ${ms.toFixed(0)} ms\n`);
      expect(ms).toBeLessThan(goalMs);
      // Nothing of it was begun in vain, and nobody took the healthy one for the wedged one.
      await stage.startedOnce();
      expect([healthy.exitCode, healthy.signalCode]).toEqual([null, null]);
      await Promise.all(links.map((link) => link.start()));
      healthy.kill('SIGTERM');
      await exited(healthy);
      await stage.produce(10, { from: 64 });
      await stage.allDoneOnce(74);
      await Promise.all(links.map((link) => link.close()));
    }),
);
