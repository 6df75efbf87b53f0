import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../statistics.ts';

export interface Latency {
  meanMs: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers that were no success. */
  failed: number;
  /** What was really sent: a generator that falls behind measures something else. */
  perSecond: number;
}

/**
 * Sends work at random moments (Poisson arrivals), `perSecond` on average, whether or not earlier work was answered, and
 * counts each from the moment at which it was due: a generator that waits for answers would spare a slow server
 * the load that makes it slow ("coordinated omission").
 */
export async function openLoop(
  perSecond: number,
  durationMs: number,
  send: (number: number) => Promise<boolean>,
): Promise<Latency> {
  const begun = performance.now();
  const times: number[] = [];
  const answers: Promise<void>[] = [];
  let failed = 0;
  for (let due = begun; due < begun + durationMs; due += (-Math.log(1 - Math.random()) * 1_000) / perSecond) {
    const early = due - performance.now();
    if (early > 1) await sleep(early);
    const dueAt = due;
    const answer = send(answers.length).then((ok) => {
      times.push(performance.now() - dueAt);
      if (!ok) failed += 1;
    });
    answers.push(answer);
  }
  const sentMs = performance.now() - begun;
  await Promise.all(answers);
  return {
    meanMs: times.reduce((sum, time) => sum + time, 0) / times.length,
    p50Ms: percentile(times, 50),
    p99Ms: percentile(times, 99),
    failed,
    perSecond: (times.length / sentMs) * 1_000,
  };
}
