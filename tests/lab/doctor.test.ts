import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '@ballast/doctor';
import { expect, inject, test, vi } from 'vitest';
import { compose, exec } from './harness/stack.ts';

/** What doctor says inside a container of the stack, as an operator asks it. */
async function doctor(service: 'api' | 'worker'): Promise<Report> {
  const timed = 'from=$EPOCHREALTIME; ballast doctor --json; code=$?; echo "took $from $EPOCHREALTIME" >&2; exit $code';
  const { code, stdout, stderr } = await exec(inject('stack'), service, ['bash', '-c', timed], true);
  const report = JSON.parse(stdout) as Report;
  expect(code).toBe(report.ok ? 0 : 1);
  // From the command to its end, whatever is down.
  const [, from, to] = /took ([\d.]+) ([\d.]+)/.exec(stderr) ?? [];
  expect(Number(to) - Number(from)).toBeLessThan(10);
  return report;
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
  try {
    await compose(stack, ['stop', 'worker']);
    await says('workers.none', 'emails never arrive, jobs pile up');
    await compose(stack, ['stop', 'redis-cache', 'redis-queue']);
    await says('cache.unreachable', 'Redis errors, flaky rate limits');
    await says('queue.unreachable', 'emails never arrive, jobs pile up');
    // One that hangs takes longer to find than one that is gone.
    await compose(stack, ['pause', 'postgres']);
    await says('database.unreachable', 'API 503 on /health');
    await compose(stack, ['unpause', 'postgres']);
    await compose(stack, ['stop', 'postgres']);
    await says('database.unreachable', 'API 503 on /health');
  } finally {
    // The other files look at the same stack.
    await compose(stack, ['unpause', 'postgres'], { mayFail: true });
    await compose(stack, ['up', '-d', '--wait', 'postgres', 'redis-cache', 'redis-queue', 'worker']);
  }
  await isSilent();
});
