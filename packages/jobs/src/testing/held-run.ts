import type { Database, Tx } from '@ballast/db';
import { sqlOf } from '@ballast/db';
import { cancel, type JobContext, type Outcome, snooze } from '@ballast/kernel';

/** What a handler of the random test is told to do next. */
export type Order =
  | 'step'
  | 'transaction'
  | 'transaction that fails'
  | 'nothing'
  | 'fail'
  | 'refuse'
  | 'snooze'
  | 'sleep'
  | 'cancel';

/** Longer than any test: what waits this long waits until the test says that time has passed. */
export const hourMs = 3_600_000;

/** One pack under way, whose handlers wait for orders: the test decides what happens in between. */
export class HeldRun {
  /** The job whose handler waits for an order. */
  jobId: string | null = null;
  ended = false;
  /** Resolves when the rows whose turn has not come have gone back to the line. */
  readonly returned: Promise<void>;
  tellReturned: () => void = () => {};
  readonly packId: string;
  #give: (order: Order) => void = () => {};
  #wake: () => void = () => {};

  constructor(packId: string) {
    this.packId = packId;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.returned = promise;
    this.tellReturned = resolve;
  }

  /** Starts `run`, and resolves when a handler waits or the pack has ended. */
  async begin(run: Promise<void>): Promise<void> {
    void run.finally(() => {
      this.ended = true;
      this.#wake();
    });
    await Promise.race([this.#settled(), run]);
  }

  /** Gives an order to the handler that waits; resolves when one waits again or the pack has ended. */
  async order(order: Order): Promise<void> {
    this.jobId = null;
    this.#give(order);
    await this.#settled();
  }

  async handle(ctx: JobContext<Tx>): Promise<Outcome | undefined> {
    for (;;) {
      const order = await this.#ask(ctx.jobId);
      if (order !== 'step') return obey(order, ctx);
      await ctx.step('half', (tx) => leave(tx, ctx.jobId, 'half'));
    }
  }

  #ask(jobId: string): Promise<Order> {
    return new Promise((resolve) => {
      this.#give = resolve;
      this.jobId = jobId;
      this.#wake();
    });
  }

  async #settled(): Promise<void> {
    while (this.jobId === null && !this.ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

async function obey(order: Exclude<Order, 'step'>, ctx: JobContext<Tx>): Promise<Outcome | undefined> {
  switch (order) {
    case 'nothing':
      return undefined;
    case 'transaction':
      await ctx.transaction((tx) => leave(tx, ctx.jobId, 'whole'));
      return undefined;
    case 'transaction that fails':
      await ctx.transaction(async (tx) => {
        await leave(tx, ctx.jobId, 'whole');
        throw new Error('failed on purpose');
      });
      return undefined;
    case 'fail':
      throw new Error('failed on purpose');
    case 'refuse':
      return { outcome: 'dead', error: new Error('refused on purpose') };
    case 'snooze':
      return snooze(0);
    case 'sleep':
      return snooze(hourMs);
    case 'cancel':
      return cancel('not needed');
  }
}

/** The effect of a job, once per part. Nothing but the fence keeps a second one out. */
export async function leave(tx: Tx, jobId: string, part: string): Promise<void> {
  await sqlOf(tx)`insert into effect (job_id, part) values (${jobId}, ${part})`;
}

export async function createEffects(owner: Database): Promise<void> {
  await owner.sql.unsafe('create table effect (job_id uuid not null, part text not null)', [], { prepare: false });
  await owner.sql.unsafe('grant all on effect to ballast_app, ballast_dispatcher', [], { prepare: false });
}
