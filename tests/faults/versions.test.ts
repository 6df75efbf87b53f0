/**
 * What a deploy does to jobs: row 31 of the fault table, with old and new payloads on
 * old and new workers at once, and a module that is switched off and on.
 */
import { queueBackends } from '@ballast/test-kit/queue';
import { describe, expect, test, vi } from 'vitest';
import { effect, laterEffect } from './handlers.ts';
import { exited, goalMs, on } from './stage.ts';

const later = laterEffect as never;

describe.concurrent.each(queueBackends)('a deploy on %s', { timeout: 5 * goalMs }, (backend) => {
  test('runs old and new payloads on old and new workers; what one does not know is put back, not failed (row 31)', () =>
    on(backend, async (stage) => {
      await stage.worker({ FAULT_VERSIONS: '1' });
      // Ahead of its worker: the producer is new already.
      await stage.produce(12, { job: later });
      await stage.produce(12, { from: 12 });
      await vi.waitFor(async () => expect(await stage.states()).toEqual({ done: 12, pending: 12 }), {
        timeout: goalMs,
        interval: 100,
      });
      await stage.worker({ FAULT_VERSIONS: '1,2' });
      await stage.produce(12, { from: 24 });
      // Those of one transaction are due at the same moment, until the old worker is handed some and puts them back. Who is handed what is chance.
      let moments = 1;
      let made = 36;
      for (; moments === 1 && made < 36 + 10 * 24; made += 24) {
        await stage.produce(24, { from: made, job: later });
        await stage.allDoneOnce(made + 24);
        const [due] = await stage.admin.sql<{ moments: number }[]>`
          select count(distinct run_at)::int as moments from jobs.job where version = 2 and (body->>'n')::int >= ${made}`;
        moments = due?.moments ?? 0;
      }
      await stage.startedOnce();
      expect(moments).toBeGreaterThan(1);
    }));

  test('switches a module off: its jobs are parked, and run when it is on again', () =>
    on(backend, async (stage) => {
      const on = await stage.worker();
      await stage.produce(6);
      await stage.allDoneOnce(6);
      on.kill('SIGTERM');
      await exited(on);
      await stage.worker({ FAULT_VERSIONS: '' });
      await stage.produce(12, { from: 6 });
      await vi.waitFor(async () => expect((await stage.states()).pending).toBe(12), { timeout: goalMs });
      // A minute in which nobody knew the kind.
      await stage.jobsDb.sql`update jobs.kind set known_at = now() - interval '2 minutes' where name = ${effect.name}`;
      await vi.waitFor(async () => expect(await stage.states()).toEqual({ done: 6, parked: 12 }), {
        timeout: goalMs,
        interval: 200,
      });
      await stage.worker();
      await stage.allDoneOnce(18);
      await stage.startedOnce();
    }));
});
