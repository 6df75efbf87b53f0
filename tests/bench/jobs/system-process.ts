/**
 * One side of one system, in a process of its own: `producer` or `worker`. Takes
 * orders from the bench over IPC, one at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { now, type Place, type Producer, type Work, type Worker } from './system.ts';
import { systems } from './systems/index.ts';

export interface Assignment {
  system: string;
  role: 'producer' | 'worker';
  place: Place;
  work: Work;
  slots: number;
}

export type Order =
  /** Commits of `size` jobs, one after the other. */
  | { do: 'batches'; count: number; size: number }
  /** A row and its job in one commit each, `parallel` at a time. */
  | { do: 'singles'; count: number; parallel: number }
  /** One at a time, with rest in between. */
  | { do: 'paced'; count: number; everyMs: number }
  /** `count` jobs in all, about `perSecond` of them, in small commits. */
  | { do: 'steady'; count: number; perSecond: number }
  /** Waits until `count` more jobs are completed, and none is left. */
  | { do: 'expect'; count: number }
  /** Waits until `count` more jobs have run; others may wait. */
  | { do: 'drain'; count: number };

export interface Answer {
  startedAt: number;
  endedAt: number;
  /** For each number, when its row was committed or its job completed. */
  moments: [number, number][];
}

const assignment = JSON.parse(process.env.BENCH_ASSIGNMENT ?? '{}') as Assignment;
const system = systems[assignment.system];
if (!system) throw new Error(`Unknown system ${assignment.system}.`);
const { place, work, slots } = assignment;
const answer = assignment.role === 'producer' ? produce(await system.openProducer(place)) : await consume();

process.on('message', (order: Order | 'close') => {
  // The place is removed: nothing needs to be let go of in order.
  if (order === 'close') process.exit(0);
  answer(order).then(
    (reply) => process.send?.(reply),
    (error: Error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    },
  );
});
process.send?.('ready');

function produce(producer: Producer): (order: Order) => Promise<Answer> {
  let next = 0;
  return async (order) => {
    const startedAt = now();
    const moments: Answer['moments'] = [];
    if (order.do === 'batches') {
      for (let left = order.count; left > 0; left -= order.size) {
        const numbers = Array.from({ length: Math.min(order.size, left) }, () => next++);
        await producer.addBatch(numbers);
      }
    }
    if (order.do === 'singles') {
      const end = next + order.count;
      const lane = async () => {
        while (next < end) await producer.writeAndAdd(next++);
      };
      await Promise.all(Array.from({ length: order.parallel }, lane));
    }
    if (order.do === 'steady') {
      const first = next;
      while (next < first + order.count) {
        const due = Math.min(order.count, Math.ceil(((now() - startedAt) / 1_000) * order.perSecond)) + first - next;
        if (due > 0) await producer.addBatch(Array.from({ length: due }, () => next++));
        await sleep(20);
      }
    }
    if (order.do === 'paced') {
      for (let left = order.count; left > 0; left--) {
        const number = next++;
        moments.push([number, await producer.writeAndAdd(number)]);
        // Not in step with anybody's timer.
        await sleep(order.everyMs * (0.5 + Math.random()));
      }
    }
    return { startedAt, endedAt: now(), moments };
  };
}

async function consume(): Promise<(order: Order) => Promise<Answer>> {
  let handled = 0;
  let expected = 0;
  let moments: Answer['moments'] = [];
  let reached = () => {};
  const worker: Worker = await (system as NonNullable<typeof system>).openWorker(place, {
    work,
    slots,
    handled() {
      handled += 1;
      if (handled === expected) reached();
    },
    completed(number) {
      moments.push([number, now()]);
    },
  });
  return async (order) => {
    const startedAt = now();
    if (order.do === 'drain') {
      expected = handled + order.count;
      await new Promise<void>((resolve) => (reached = resolve));
      return { startedAt, endedAt: now(), moments: [] };
    }
    if (order.do !== 'expect') throw new Error(`A worker cannot ${order.do}.`);
    moments = [];
    expected += order.count;
    if (handled < expected) await new Promise<void>((resolve) => (reached = resolve));
    // The last handlers have run; their completions may be under way.
    while ((await worker.remaining()) > 0) await sleep(3);
    const endedAt = now();
    if (handled > expected) throw new Error(`${handled} runs of ${expected} jobs.`);
    return { startedAt, endedAt, moments };
  };
}
