import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@ballast/kernel';

/** Repeats `attempt` every second until it succeeds; gives up quietly when `signal` aborts, and returns undefined. */
export async function retry<Result>(
  signal: AbortSignal,
  log: Pick<Log, 'warn'>,
  attempt: () => Promise<Result>,
): Promise<Result | undefined> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await attempt();
    } catch (error) {
      // Once is enough to know; /health tells for how long.
      if (failures === 0) log.warn({ error }, 'cannot start yet; trying every second');
      await pause(1_000, signal);
    }
  }
  return undefined;
}

/** Ends early, and quietly, when `signal` aborts. */
const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => {});
