import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = join(import.meta.dirname, 'failpoint.ts');

/** What a process says that runs `script` with `failpoint` in scope. */
function said(script: string, armed: string | undefined): string {
  const { BALLAST_FAILPOINTS: _, ...environment } = process.env;
  const code = `import { failpoint } from ${JSON.stringify(source)};\n${script}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    env: armed === undefined ? environment : { ...environment, BALLAST_FAILPOINTS: armed },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

/** The fastest of twenty rounds: what the machine does besides only ever adds to one. */
const nanoseconds = `
  let fastest = Infinity, made = 0;
  for (let round = 0; round < 20; round++) {
    const since = process.hrtime.bigint();
    for (let n = 0; n < 100_000; n++) if (failpoint('run.started') !== undefined) made += 1;
    fastest = Math.min(fastest, Number(process.hrtime.bigint() - since) / 100_000);
  }
  console.log(made + ' ' + fastest);`;

describe('a failpoint', () => {
  it('costs nothing when none is set: no promise, and less than a thousandth of the cheapest job', () => {
    const [made, fastest] = said(nanoseconds, undefined).split(' ').map(Number);
    process.stdout.write(`an unset failpoint: ${fastest?.toFixed(1)} ns\n`);
    expect(made).toBe(0);
    // The cheapest job measured cost 75 µs, over all processes (docs/decisions/0018).
    expect(fastest).toBeLessThan(75);
  });

  it('does what is set for its name, and nothing for others', () => {
    const script = `
      const since = performance.now();
      await failpoint('other');
      const other = performance.now() - since;
      await failpoint('here');
      console.log(other < 200, performance.now() - since >= 299);`;
    expect(said(script, 'here=pause:300')).toBe('true true');
  });

  it('kills where it stands: nothing after it runs', () => {
    expect(() => said(`await failpoint('here'); console.log('ran on');`, 'here=kill')).toThrow(
      expect.objectContaining({ signal: 'SIGKILL', stdout: '' }),
    );
  });
});
