export interface Stopwatch {
  /** Ends it. Returns the milliseconds since its start in which this process was run. */
  stop(): number;
}

const everyMs = 50;
/** Below that a timer's delay is work of this process itself. */
const stalledAfterMs = 100;

/**
 * Measures what a server takes, without the time in which the machine ran nobody: a stall holds
 * the test up as it holds up the server, and says nothing of either.
 *
 * @example
 * const watch = startStopwatch();
 * await fetch(url);
 * expect(watch.stop()).toBeLessThan(2_000);
 */
export function startStopwatch(): Stopwatch {
  const startedAt = performance.now();
  let lookedAt = startedAt;
  let stalledMs = 0;
  const look = () => {
    const now = performance.now();
    const lateMs = now - lookedAt - everyMs;
    if (lateMs > stalledAfterMs) stalledMs += lateMs;
    lookedAt = now;
    return now;
  };
  // One that is never stopped, since what it measures failed, keeps no process.
  const timer = setInterval(look, everyMs).unref();
  return {
    stop() {
      clearInterval(timer);
      return look() - startedAt - stalledMs;
    },
  };
}
