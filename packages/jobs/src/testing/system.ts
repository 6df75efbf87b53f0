import { type Database, type Tx, withTenant } from '@ballast/db';
import {
  type BatchContext,
  type BatchHandler,
  type BatchItem,
  defineJob,
  type JobContext,
  type JobDefinition,
  type Log,
  type Outcome,
} from '@ballast/kernel';
import { createTestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { z } from 'zod';
import { claim } from '../claim.ts';
import { type Completions, openCompletions } from '../completions.ts';
import { type EnqueueOptions, enqueue } from '../enqueue.ts';
import { keepEpoch } from '../epoch.ts';
import type { Pack } from '../fill.ts';
import type { Fleet } from '../fleet.ts';
import { runPack } from '../run-pack.ts';
import { type Swept, sweep } from '../sweep.ts';
import { forgetJobs } from '../testing.ts';
import type { Transport } from '../transport.ts';
import { createEffects, HeldRun, hourMs } from './held-run.ts';

const define = (name: string, attempts: number, more: Partial<JobDefinition> = {}): JobDefinition =>
  defineJob({
    ...more,
    name,
    attempts,
    payload: z.strictObject({}) as never,
    backoff: { firstMs: hourMs, maxMs: hourMs },
    timeoutMs: hourMs,
  });

/** `foreign` is a version that no process knows until one is deployed. */
export const kinds = {
  often: define('model.often', 3),
  once: define('model.once', 1),
  limited: define('model.limited', 3, { concurrency: 1 }),
  batch: define('model.batch', 3, { batch: 3 }),
  foreign: define('model.often', 3, { version: 2 }),
};
/** How many packs of a name may be out; no limit when it is not there. */
export const limits = new Map(
  Object.values(kinds).flatMap((job) => (job.concurrency === null ? [] : [[job.name, job.concurrency]])),
);
export type Kind = keyof typeof kinds;
export const tenants = ['018f0000-0000-7000-8000-000000000001', '018f0000-0000-7000-8000-000000000002'] as const;
export const processes = ['018f0000-0000-7000-8000-0000000000a1', '018f0000-0000-7000-8000-0000000000a2'] as const;
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

export interface Opening {
  stopping: boolean;
  /** The rows behind the first one go back at once, and not in an hour. */
  impatient: boolean;
}

interface Work {
  processId: string;
  stopping?: boolean;
  returnAfterMs?: number;
  returned?(): void;
  handle(ctx: JobContext<Tx>): Promise<Outcome | undefined>;
  handleBatch?(items: readonly BatchItem<unknown>[], ctx: BatchContext<Tx>): Promise<undefined>;
}

/** The real thing, on a real Postgres. In the queue's place stands a set of pack ids, which can lose what it holds. */
export class System {
  readonly queue = new Set<string>();
  readonly runs: HeldRun[] = [];
  readonly db: Database;
  /** The workers' own: a sweep ends the sessions of whoever is silent, and those of nobody else. */
  readonly #workDb: Database;
  readonly jobsDb: Database;
  readonly #completions: Completions;
  readonly #unwritten = new Set<Promise<unknown>>();
  #mark: string | null = null;
  #claims = 0;
  readonly #turns = new Map<string, string | null>();

  constructor(db: Database, workDb: Database, jobsDb: Database) {
    this.db = db;
    this.#workDb = workDb;
    this.jobsDb = jobsDb;
    this.#completions = this.#watched(openCompletions(jobsDb, silent));
  }

  /** As if there had never been a job. */
  async reset(): Promise<void> {
    this.queue.clear();
    this.runs.splice(0);
    await forgetJobs(this.jobsDb);
    await this.jobsDb.sql`
      with processes as (delete from jobs.process), kinds as (delete from jobs.kind), queues as (delete from jobs.queue)
      delete from effect`;
    await this.look();
  }

  add(kind: Kind, tenant: string, options: EnqueueOptions): Promise<string> {
    return withTenant(this.db, tenant, (tx) => enqueue(tx, kinds[kind], {}, options));
  }

  async claim(freePacks: number, knowsForeign: boolean): Promise<Pack[]> {
    const { foreign, ...own } = kinds;
    const known = [...Object.values(own), ...(knowsForeign ? [foreign] : [])];
    const fleet: Fleet = {
      slots: new Map([['default', freePacks]]),
      knows: new Set(known.map((job) => `${job.name}@${job.version}`)),
      // Measured and quick: rows share packs when there are more rows than packs.
      runMs: new Map(known.map((job) => [job.name, 5])),
    };
    this.#claims += 1;
    const { packs, turns } = await claim(this.jobsDb, {
      // An idle dispatcher claims in another way, and must come to the same.
      idle: this.#claims % 2 === 0,
      queue: 'default',
      freePacks,
      rowsPerPack: 20,
      fleet,
      afterLane: null,
      turns: this.#turns,
    });
    for (const [kind, lane] of turns) this.#turns.set(kind, lane);
    await this.#stopTheClock();
    return packs;
  }

  /** A worker takes the pack. Its handlers wait for orders. */
  async open(packId: string, processId: string, { stopping, impatient }: Opening): Promise<HeldRun> {
    const run = new HeldRun(packId);
    const returnAfterMs = impatient ? 20 : hourMs;
    const returned = () => run.tellReturned();
    await run.begin(
      this.work(packId, { processId, stopping, returnAfterMs, returned, handle: (ctx) => run.handle(ctx) }),
    );
    await this.written();
    if (!run.ended) this.runs.push(run);
    return run;
  }

  /** A worker runs the pack, with one handler for every kind. */
  work(
    packId: string,
    { processId, stopping = false, returnAfterMs = 100, returned = () => {}, handle, handleBatch }: Work,
  ): Promise<void> {
    const runner = {
      db: this.#workDb,
      jobsDb: this.jobsDb,
      processId,
      completions: this.#completions,
      services: null,
      log: silent,
      shutdown: new AbortController().signal,
      find: (name: string, version: number) => {
        const job = Object.values(kinds).find((kind) => kind.name === name && kind.version === version);
        if (!job) return undefined;
        const run = ({ ctx }: { ctx: JobContext<Tx> }) => handle(ctx);
        const runBatch: BatchHandler<unknown, Tx, null>['runBatch'] = async ({ items, ctx }) =>
          handleBatch?.(items, ctx);
        return { job, load: async () => (job.batch === null ? { job, run } : { job, runBatch }) };
      },
      unknownAfterMs: () => 5_000,
      stopping: () => stopping,
      returned,
      returnAfterMs,
      measured: () => {},
    };
    return runPack<null>(runner, packId);
  }

  /** Every outcome that was reported is committed, or was refused. */
  async written(): Promise<void> {
    await Promise.all(this.#unwritten);
  }

  async sweep(remove: boolean): Promise<Swept | null> {
    const options = { db: this.jobsDb, transport: this.#transport, log: silent, settledAfterMs: 0 };
    const swept = await sweep({ ...options, remove, keepEndedDays: 0 });
    await this.#stopTheClock();
    return swept;
  }

  /** What waits for seconds waits for hours, though they may be over by now: here time passes when the test says so, by an hour. */
  async #stopTheClock(): Promise<void> {
    await this.jobsDb.sql`
      with moved as (
        update jobs.later set run_at = now() + ${hourMs} * interval '1 millisecond'
        where run_at between now() - interval '1 minute' and now() + interval '1 minute' returning job_id, run_at
      )
      update jobs.job set run_at = moved.run_at from moved where job.id = moved.job_id`;
  }

  /** Loses everything in the queue, the mark of its epoch included. */
  wipe(): void {
    this.queue.clear();
    this.#mark = null;
  }

  /** A dispatcher's look at the epoch. Returns how many rows it returned, or null when nothing was wrong. */
  async look(): Promise<number | null> {
    const [row] = await this.jobsDb.sql<{ value: string }[]>`select value from jobs.epoch`;
    return keepEpoch(this.jobsDb, this.#transport, row?.value ?? null, silent);
  }

  get #transport(): Transport {
    return {
      holds: async (_, packIds) => new Set(packIds.filter((id) => this.queue.has(id))),
      epoch: {
        read: async () => this.#mark,
        write: async (value) => {
          this.#mark = value;
        },
      },
    } as Pick<Transport, 'holds' | 'epoch'> as Transport;
  }

  #watched(completions: Completions): Completions {
    const watch = <Result>(write: Promise<Result>) => {
      const settled = write.then(
        () => {},
        () => {},
      );
      this.#unwritten.add(settled);
      void settled.finally(() => this.#unwritten.delete(settled));
      return write;
    };
    return {
      write: (ending) => watch(completions.write(ending)),
      close: (packId) => watch(completions.close(packId)),
      giveUp: () => completions.giveUp(),
    };
  }
}

export async function openSystem(): Promise<{ system: System; close(): Promise<void> }> {
  const database = await createTestDatabase();
  const db = openPatiently({ url: database.appUrl, applicationName: 'model' });
  const workDb = openPatiently({ url: database.appUrl, applicationName: 'model' });
  const jobsDb = openPatiently({ url: database.dispatcherUrl, applicationName: 'model' });
  const owner = openPatiently({ url: database.ownerUrl, applicationName: 'model' });
  await createEffects(owner);
  await owner.close();
  return {
    system: new System(db, workDb, jobsDb),
    async close() {
      await Promise.all([db.close(), workDb.close(), jobsDb.close()]);
      await database.drop();
    },
  };
}
