import { openDatabase } from '@ballast/db';
import type { System } from '../system.ts';
import { bullmq, openBullWorker } from './bullmq.ts';

/**
 * BullMQ with the same effects: each job's end is a row in Postgres, written in groups
 * of what gathered while the last group was under way. No outbox.
 */
export const bullmqEffects: System = {
  ...bullmq,
  name: 'bullmq-effects',
  async openWorker(place, { slots, handled, completed }) {
    const db = openDatabase({ url: place.appUrl, applicationName: 'bench-worker' });
    let waiting: { n: number; resolve(): void; reject(error: Error): void }[] = [];
    let writing = false;
    const drain = async () => {
      writing = true;
      while (waiting.length > 0) {
        const group = waiting;
        waiting = [];
        const written = db.sql`insert into effect (n) select * from unnest(${group.map(({ n }) => n)}::int[])`;
        const failed = await written.then(
          () => null,
          (error: Error) => error,
        );
        for (const one of group) failed ? one.reject(failed) : one.resolve();
      }
      writing = false;
    };
    return openBullWorker(place.redisUrl, slots, completed, async (n) => {
      await new Promise<void>((resolve, reject) => {
        waiting.push({ n, resolve, reject });
        if (!writing) void drain();
      });
      handled(n);
    });
  },
};
