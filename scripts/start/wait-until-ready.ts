import { setTimeout as sleep } from 'node:timers/promises';
import { StartProblem, Stopped } from './start-problem.ts';

/** Asks until the address answers with success. What it said last is part of the complaint. */
export async function waitUntilReady(name: string, url: string, log: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + 60_000;
  let last = 'no answer';
  while (!signal.aborted) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: 'manual' });
      if (response.ok) return;
      last = `status ${response.status}: ${(await response.text()).slice(0, 300)}`;
    } catch (error) {
      last = (error as Error).message;
    }
    if (Date.now() > deadline) {
      throw new StartProblem(`${name} was not ready within a minute (${url}: ${last}). Its log: ${log}`);
    }
    await sleep(100);
  }
  throw new Stopped(name);
}
