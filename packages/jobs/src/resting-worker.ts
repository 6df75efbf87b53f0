/**
 * A consumer that rests after a fetch that failed. BullMQ 6.7 rests only when a
 * connection was refused or closed by itself: at any other error its loop fetches again
 * at once, for each free slot. A worker whose links to Postgres were reset as soon as
 * they were made tried 1,700 times a second (tests/faults/slow-worker-links.test.ts); a
 * server that starts, has no connection left or no room on its disk would meet the same.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type ConnectionOptions,
  type IQueueBackend,
  type Job,
  type JobProgress,
  type RedisQueueBackend,
  Worker,
} from 'bullmq';

const firstRestMs = 50;
const longestRestMs = 1_000;

export class RestingWorker<
  Backend extends IQueueBackend = RedisQueueBackend,
  Connection = ConnectionOptions,
> extends Worker<unknown, void, string, Backend, JobProgress, Connection> {
  #failures = 0;
  readonly #closing = new AbortController();

  protected override async moveToActive(token: string, name?: string): Promise<Job<unknown, void>> {
    try {
      const job = await super.moveToActive(token, name);
      this.#failures = 0;
      return job;
    } catch (error) {
      const restMs = Math.min(longestRestMs, firstRestMs * 2 ** this.#failures);
      this.#failures += 1;
      await pause(restMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      throw error;
    }
  }

  override close(force?: boolean): Promise<void> {
    this.#closing.abort();
    return super.close(force);
  }
}
