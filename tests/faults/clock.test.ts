/**
 * Hosts whose clocks are an hour off, in both directions: row 26 of the fault table.
 * Leases, due times and the order of things are the database's.
 */
import { findFakeTime } from '@ballast/test-kit/fake-time';
import { queueBackends } from '@ballast/test-kit/queue';
import { describe, expect, test } from 'vitest';
import { exited, goalMs, on } from './stage.ts';

const library = findFakeTime();
const hourMs = 3_600_000;

const offBy = (offset: string) => ({
  LD_PRELOAD: library ?? '',
  FAKETIME: offset,
  // A clock that is set wrong still runs evenly.
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  FAULT_SAY_CLOCK: 'yes',
});

if (!library) process.stdout.write('row 26 is skipped: it needs libfaketime (sudo apt-get install libfaketime)\n');

describe.concurrent.each(queueBackends)('workers on %s', { timeout: 5 * goalMs }, (backend) => {
  test.skipIf(!library)('an hour ahead and an hour behind share the work, and one of them dies (row 26)', () =>
    on(backend, async (stage) => {
      const clocks: number[] = [];
      const startOff = async (offset: string, environment: Record<string, string> = {}) => {
        const child = await stage.worker({ ...offBy(offset), ...environment }, (said) => {
          const [, clock] = /clock (\d+)/.exec(said) ?? [];
          if (clock) clocks.push(Number(clock) - Date.now());
        });
        return child;
      };
      const victim = await startOff('+1h', { BALLAST_FAILPOINTS: 'run.before-commit=kill' });
      await stage.produce(8);
      await exited(victim);
      // Row 0 takes longer than the silence that means death: a lease by a host's clock would end under it.
      const long = { FAULT_HANDLER: 'long', FAULT_MS: '18000' };
      await startOff('+1h', long);
      await startOff('-1h', long);
      expect(clocks.map((ms) => Math.round(ms / hourMs))).toEqual([1, 1, -1]);
      // Due by the database's clock: neither at once, as an hour ahead would have it, nor in an hour.
      const [row] = await stage.jobsDb.sql<{ at: string }[]>`
        select (now() + interval '5 seconds')::text as at`;
      await stage.produce(4, { from: 8, runAt: new Date(row?.at ?? '') });
      await stage.produce(12, { from: 12 });
      await stage.allDoneOnce(24);
      const early = await stage.jobsDb.sql`
        select id from jobs.job where started_at < run_at or ended_at not between now() - interval '5 minutes' and now()`;
      expect(early).toEqual([]);
      // Once for the one that died, and never again.
      expect(await stage.jobsDb.sql`select id, attempt from jobs.job where attempt > 2`).toEqual([]);
    }),
  );
});
