/** A step's name in a column of its own, what it does, and how long it took. */
export async function step<Result>(name: string, what: string, work: () => Promise<Result>): Promise<Result> {
  const started = Date.now();
  const label = `  ${name.padEnd(11)} ${what}`;
  const live = process.stdout.isTTY === true;
  if (live) process.stdout.write(`${label} …`);
  try {
    const result = await work();
    process.stdout.write(`${live ? '\r\x1b[2K' : ''}${label}  ${seconds(Date.now() - started)}\n`);
    return result;
  } catch (error) {
    process.stdout.write(`${live ? '\r\x1b[2K' : ''}${label}  failed\n`);
    throw error;
  }
}

export function seconds(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
