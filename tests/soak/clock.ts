import { setTimeout as sleep } from 'node:timers/promises';

/** The time of the plan: it stands still while the machine has more work than it gets done. */
export interface Clock {
  /** Resolves with true when the plan's time has come that far, and with false when the plan is given up before. */
  until(ms: number): Promise<boolean>;
  close(): void;
}

const tickMs = 50;

/** @param behind whether so much waits that adding more, and killing on, would only measure the waiting. */
export function startClock(behind: () => boolean, givenUp?: AbortSignal): Clock {
  let elapsedMs = 0;
  let lookedAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    // A process that was kept from running does not catch up: its processes were kept, too.
    if (!behind()) elapsedMs += Math.min(now - lookedAt, 4 * tickMs);
    lookedAt = now;
  }, tickMs);
  return {
    async until(ms) {
      while (elapsedMs < ms && !givenUp?.aborted) await sleep(Math.max(tickMs, Math.min(1_000, ms - elapsedMs)));
      return elapsedMs >= ms;
    },
    close: () => clearInterval(timer),
  };
}
