/**
 * BullMQ's consumer (6.7), with two habits mended:
 *
 * - It begins what it takes. By itself it takes one pack after the other until its slots are
 *   full, and begins none before; only from then on it renews their locks. On a busy machine
 *   a worker of 1,000 slots had begun nothing after 30 s, had lost the locks of 171 packs, and
 *   was ended by its watchdog. Here a few are taken ahead of those that have begun.
 * - It rests after a take that failed. By itself it rests only when a connection was refused
 *   or closed; at any other error it takes again at once, for each free slot. A Redis that had
 *   become a replica was asked 2,000 times a second, and a Postgres that reset its connections
 *   1,700 times (tests/faults/slow-worker-links.test.ts).
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type BackendFactory,
  type ConnectionOptions,
  type IQueueBackend,
  type Job,
  type JobProgress,
  type RedisQueueBackend,
  Worker,
  type WorkerOptions,
} from 'bullmq';

/** Enough that a take is under way while the last ones begin. */
const mostNotBegun = 10;
const firstRestMs = 50;
const longestRestMs = 1_000;

export class PackConsumer<
  Backend extends IQueueBackend = RedisQueueBackend,
  Connection = ConnectionOptions,
> extends Worker<unknown, void, string, Backend, JobProgress, Connection> {
  readonly #slots: number;
  readonly #closing = new AbortController();
  #underWay = 0;
  #failedInARow = 0;

  constructor(
    name: string,
    run: (job: Job) => Promise<void>,
    options: WorkerOptions<Connection>,
    openBackend: BackendFactory<Backend, Connection>,
  ) {
    super(name, run, options, openBackend);
    this.#slots = options.concurrency ?? 1;
    this.#beginBeforeTakingMore();
  }

  override async processJob(...taken: Parameters<Worker<unknown, void>['processJob']>) {
    this.#underWay += 1;
    this.#beginBeforeTakingMore();
    try {
      return await super.processJob(...taken);
    } finally {
      this.#underWay -= 1;
      this.#beginBeforeTakingMore();
    }
  }

  protected override async moveToActive(token: string, name?: string): Promise<Job<unknown, void>> {
    try {
      const job = await super.moveToActive(token, name);
      this.#failedInARow = 0;
      return job;
    } catch (error) {
      const restMs = Math.min(longestRestMs, firstRestMs * 2 ** this.#failedInARow);
      this.#failedInARow += 1;
      await pause(restMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      throw error;
    }
  }

  override close(force?: boolean): Promise<void> {
    this.#closing.abort();
    return super.close(force);
  }

  #beginBeforeTakingMore(): void {
    this.concurrency = Math.min(this.#slots, this.#underWay + mostNotBegun);
  }
}
