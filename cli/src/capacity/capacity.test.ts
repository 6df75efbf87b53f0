import { describe, expect, it } from 'vitest';
import { run } from '../run.ts';

async function asked(...words: string[]) {
  const said: string[] = [];
  const terminal = { env: {}, out: (text: string) => said.push(text), err: (text: string) => said.push(text) };
  const code = await run(['capacity', ...words], terminal as never);
  return { code, said: said.join('\n') };
}

interface Answer {
  deployment: { apiReplicas: number; workerReplicas: number };
  limits: { station: string; times: number }[];
  full: string[];
}

const json = async (...words: string[]) => JSON.parse((await asked(...words, '--json')).said) as Answer;

describe('ballast capacity', () => {
  it('answers with replicas, times and the next limit', async () => {
    const { code, said } = await asked('--requests-per-second', '50', '--jobs-per-second', '20');
    expect(code).toBe(0);
    expect(said).toMatch(/api {5}\d+ replicas?; a request takes [\d.]+ ms on average/);
    expect(said).toMatch(/worker {2}\d+ replicas? of 16 slots/);
    expect(said).toMatch(/Next limit: .+, full at [\d.]+ times this load\./);
  });

  it('wants more workers for slower handlers, and as many for the same slots in fewer', async () => {
    const load = ['--jobs-per-second', '100', '--postgres-connections', '10000'];
    const quick = await json(...load, '--handler-ms', '10');
    const slow = await json(...load, '--handler-ms', '1000');
    const wide = await json(...load, '--handler-ms', '1000', '--slots', '64');
    expect(slow.deployment.workerReplicas).toBe(Math.ceil(100 / 16 / 0.6));
    expect(quick.deployment.workerReplicas).toBeLessThan(slow.deployment.workerReplicas);
    expect(wide.deployment.workerReplicas).toBe(Math.ceil(100 / 64 / 0.6));
  });

  it('says what is too full and what helps, with exit code 1', async () => {
    const { code, said } = await asked('--jobs-per-day', '100_000_000', '--handler-ms', '50');
    expect(code).toBe(1);
    expect(said).toContain('3472 jobs a second at the peak');
    expect(said).toContain('postgres connections is too full at the peak: raise max_connections');
  });

  it('refuses what makes no sense in a sentence', async () => {
    expect(await asked('--jobs-per-second', 'many')).toMatchObject({
      code: 2,
      said: expect.stringContaining('--jobs-per-second must be a number'),
    });
    expect((await asked('--slots', '4')).said).toContain('There is no load');
    expect((await asked('--jobs-per-second', '1', '--jobs-per-day', '1')).said).toContain('not both');
    expect((await asked('--jobs-per-second', '1', '--slots', '1.5')).said).toContain('whole number');
  });
});
