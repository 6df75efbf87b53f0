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
