import { setTimeout as sleep } from 'node:timers/promises';

/** The time of the plan: it stands still while the machine has more work than it gets done. */
export interface Clock {
  /** Resolves when the plan's time has come that far. */
  until(ms: number): Promise<void>;
  close(): void;
}

const tickMs = 50;

/** @param behind whether so much waits that adding more, and killing on, would only measure the waiting. */
export function startClock(behind: () => boolean): Clock {
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
      while (elapsedMs < ms) await sleep(Math.max(tickMs, Math.min(1_000, ms - elapsedMs)));
    },
    close: () => clearInterval(timer),
  };
}
