import https from 'node:https';
import { type Asked, type Site, visit } from './visit.ts';

export interface Target extends Asked {
  path: string;
  /** Of all requests, in proportion to the others' shares. */
  share: number;
  /** The status that is the right answer; by default any under 400. */
  expects?: number;
}

export interface LoadReport {
  sent: number;
  /** Answered rightly, in time. */
  answered: number;
  /** What went wrong, each with how often. */
  failed: Record<string, number>;
  perSecond: number;
  /** The longest time in which this process itself was not run, and sent nothing. */
  stalledMs: number;
  medianMs: number;
  slowestMs: number;
}

/**
 * Sends requests at a rate, whether the former are answered or not, as people do: a
 * server that stands still for a second is late for all who came in it. When the sender itself stood still, as it does on a machine
 * that is not run, it goes on at its rate: a burst of what it missed would be no such people.
 */
export function startLoad(site: Site, perSecond: number, targets: readonly Target[]): { stop(): Promise<LoadReport> } {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 500 });
  const deck = targets.flatMap((target) => Array<Target>(target.share).fill(target));
  const failed: Record<string, number> = {};
  const latencies: number[] = [];
  const underWay = new Set<Promise<void>>();
  const pauseMs = 5;
  let started = performance.now();
  let looked = started;
  let stalledMs = 0;
  let sent = 0;

  async function send(target: Target): Promise<void> {
    const began = performance.now();
    const outcome = await visit(site, target.path, { ...target, agent }).then(
      ({ status, body }) =>
        (target.expects === undefined ? status < 400 : status === target.expects)
          ? null
          : `${status} ${body.match(/"code":"([^"]+)"/)?.[1] ?? ''}`,
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
    if (outcome === null) latencies.push(performance.now() - began);
    else {
      const what = `${target.method ?? 'GET'} ${target.path}: ${outcome}`;
      failed[what] = (failed[what] ?? 0) + 1;
    }
  }

  const timer = setInterval(() => {
    const now = performance.now();
    const gapMs = now - looked - pauseMs;
    looked = now;
    if (gapMs > 250) started += gapMs;
    stalledMs = Math.max(stalledMs, gapMs);
    const due = Math.floor(((now - started) / 1000) * perSecond);
    for (; sent < due; sent++) {
      const one = send(deck[sent % deck.length] as Target).finally(() => underWay.delete(one));
      underWay.add(one);
    }
  }, pauseMs);

  return {
    async stop() {
      clearInterval(timer);
      const took = performance.now() - started;
      await Promise.all(underWay);
      agent.destroy();
      latencies.sort((a, b) => a - b);
      return {
        sent,
        answered: latencies.length,
        failed,
        perSecond: Math.round((sent / took) * 1000),
        stalledMs: Math.round(stalledMs),
        medianMs: Math.round(latencies[Math.floor(latencies.length / 2)] ?? Number.NaN),
        slowestMs: Math.round(latencies.at(-1) ?? Number.NaN),
      };
    },
  };
}
