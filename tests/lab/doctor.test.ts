import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '@ballast/doctor';
import { expect, inject, test, vi } from 'vitest';
import { compose, exec } from './harness/stack.ts';

/** What doctor says inside a container of the stack, as an operator asks it. */
async function doctor(service: 'api' | 'worker'): Promise<Report> {
  const { stdout } = await exec(inject('stack'), service, ['ballast', 'doctor', '--json'], true);
  return JSON.parse(stdout) as Report;
}

async function says(code: string, symptom: string): Promise<void> {
  const named = async () =>
    expect((await doctor('api')).findings).toContainEqual(expect.objectContaining({ code, symptom }));
  await vi.waitFor(named, { timeout: 60_000, interval: 500 });
}

async function isSilent(): Promise<void> {
  await vi.waitFor(async () => expect((await doctor('api')).findings).toEqual([]), {
    timeout: 90_000,
    interval: 1_000,
  });
}

test('doctor is in the image, and silent beside API and worker while all is well', async () => {
  await isSilent();
  expect((await doctor('worker')).findings).toEqual([]);
});

/** Ten minutes once before a release (docs/failure-matrix.md); a moment in every other run. */
const silentMinutes = Number(process.env.BALLAST_LAB_SILENT_MINUTES ?? 0.5);

test(
  `it says nothing of a healthy stack for ${silentMinutes} minutes`,
  async () => {
    await isSilent();
    const until = Date.now() + silentMinutes * 60_000;
    let looks = 0;
    while (Date.now() < until) {
      for (const service of ['api', 'worker'] as const) {
        expect((await doctor(service)).findings, `${service}, look ${looks}`).toEqual([]);
      }
      looks += 1;
      await sleep(5_000);
    }
    expect(looks).toBeGreaterThan(0);
    process.stdout.write(`doctor was silent for ${silentMinutes} minutes, asked ${2 * looks} times\n`);
  },
  silentMinutes * 60_000 + 120_000,
);

test('it names what was taken away, and is silent when it is back', async () => {
  const stack = inject('stack');
  await compose(stack, ['stop', 'worker']);
  await says('workers.none', 'emails never arrive, jobs pile up');
  await compose(stack, ['stop', 'redis-cache', 'redis-queue']);
  await says('cache.unreachable', 'Redis errors, flaky rate limits');
  await says('queue.unreachable', 'emails never arrive, jobs pile up');
  await compose(stack, ['stop', 'postgres']);
  await says('database.unreachable', 'API 503 on /health');
  expect((await doctor('api')).tookMs).toBeLessThan(10_000);
  await compose(stack, ['up', '-d', '--wait', 'postgres', 'redis-cache', 'redis-queue', 'worker']);
  await isSilent();
});
