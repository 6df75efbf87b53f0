import { Stopped } from './start-problem.ts';

/** Shows a step's name in a column of its own, what it does, and how long it took. `unchanged` when it had nothing to do. */
export async function step<Result>(name: string, what: string, work: () => Promise<Result>): Promise<Result> {
  const started = Date.now();
  const live = process.stdout.isTTY === true;
  const line = (text: string, end: string) =>
    process.stdout.write(`${live ? '\r\x1b[2K' : ''}  ${name.padEnd(11)} ${text.padEnd(48)} ${end}\n`);
  if (live) process.stdout.write(`  ${name.padEnd(11)} ${what} …`);
  try {
    const result = await work();
    line(result === unchanged ? 'unchanged' : what, seconds(Date.now() - started));
    return result;
  } catch (error) {
    if (!(error instanceof Stopped)) line(what, 'failed');
    throw error;
  }
}

export const unchanged = 'unchanged';

export function seconds(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
