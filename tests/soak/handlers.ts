/** What the jobs of the soak do: every door of a handler, and something in each place where a kill can hit. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sqlOf, type Tx } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import {
  type BatchHandler,
  cancel,
  defineBatchHandler,
  defineHandler,
  type JobContext,
  type JobHandler,
  snooze,
} from '@ballast/kernel';
import { jobs, type Kind, type Payload } from './kinds.ts';

export interface Services {
  /** To the counting sink, under the job's id. */
  post(kind: Kind, n: number, jobId: string): Promise<void>;
  mail(n: number, jobId: string): Promise<void>;
  /** Tells the run that these have begun. */
  started(jobIds: readonly string[]): void;
}

type Run = (input: { payload: Payload; ctx: JobContext<Tx>; services: Services }) => Promise<unknown>;

/** Numbers of children lie above those of all parents. */
export const childrenFrom = 1_000_000_000;

/** The normal way: what is outside first, then effect and completion in one commit. */
const whole: Run = async ({ payload, ctx }) => {
  await pause(payload, 'outside');
  await ctx.transaction(async (tx) => {
    await leave(tx, ctx.jobId, 'whole');
    await pause(payload, 'commit');
  });
};

const runs: Record<Exclude<Kind, 'batch'>, Run> = {
  plain: async ({ payload, ctx, services }) => {
    await services.post('plain', payload.n, ctx.jobId);
    await pause(payload, 'outside');
    await pause(payload, 'commit');
  },
  transaction: whole,
  limited: whole,
  keyed: whole,
  child: whole,
  stale: whole,
  steps: async (input) => {
    const { payload, ctx, services } = input;
    await ctx.step('first', (tx) => leave(tx, ctx.jobId, 'first'));
    await services.post('steps', payload.n, ctx.jobId);
    await ctx.step('second', (tx) => leave(tx, ctx.jobId, 'second'));
    await whole(input);
  },
  parent: async ({ payload, ctx }) => {
    await pause(payload, 'outside');
    await ctx.transaction(async (tx) => {
      await leave(tx, ctx.jobId, 'whole');
      const n = childrenFrom + payload.n;
      const childId = await enqueue(tx, jobs.child, { ...payload, n });
      await sqlOf(tx)`insert into asked (n, label, job_id) values (${n}, 'child', ${childId})`;
      await pause(payload, 'commit');
    });
  },
  mail: async (input) => {
    await input.services.mail(input.payload.n, input.ctx.jobId);
    await whole(input);
  },
  once: async (input) => {
    await input.services.post('once', input.payload.n, input.ctx.jobId);
    await whole(input);
  },
  snoozing: async (input) => {
    const { ctx } = input;
    const [before] = await ctx.read((tx) => sqlOf(tx)`select 1 from effect where job_id = ${ctx.jobId}`);
    if (before) return whole(input);
    await ctx.step('first', (tx) => leave(tx, ctx.jobId, 'first'));
    return snooze(300);
  },
  cancelling: async ({ payload, ctx }) => {
    await ctx.step('first', (tx) => leave(tx, ctx.jobId, 'first'));
    await pause(payload, 'outside');
    return cancel('not needed');
  },
  doomed: async ({ payload, ctx }) => {
    await ctx.step('first', (tx) => leave(tx, ctx.jobId, 'first'));
    await ctx.transaction(async (tx) => {
      await leave(tx, ctx.jobId, 'whole');
      await pause(payload, 'commit');
      throw new Error('failed on purpose, after its effect');
    });
  },
  poison: whole,
  risky: whole,
};

const batch = defineBatchHandler<Payload, Tx, Services>(jobs.batch, async ({ items, ctx, services }) => {
  services.started(items.map((item) => item.jobId));
  const failing = new Set(items.filter((item) => item.attempt <= item.payload.failures).map((item) => item.jobId));
  const slowest = items.reduce((a, b) => (b.payload.pauseMs > a.payload.pauseMs ? b : a)).payload;
  await pause(slowest, 'start');
  await pause(slowest, 'outside');
  await ctx.transaction(items, async (tx, live) => {
    const doing = live.map((item) => item.jobId).filter((id) => !failing.has(id));
    await sqlOf(tx)`
      insert into effect (job_id, part, worker) select id, 'whole', ${process.pid} from unnest(${doing}::uuid[]) as id`;
    await pause(slowest, 'commit');
    const failed = { outcome: 'retry', error: new Error('failed on purpose') } as const;
    return new Map(live.filter((item) => failing.has(item.jobId)).map((item) => [item.jobId, failed]));
  });
  return undefined;
});

/** The handler of a kind, in the frame that all share: it says that it began, and fails or dies as planned. */
export function handlerOf(kind: Kind): JobHandler<Payload, Tx, Services> | BatchHandler<Payload, Tx, Services> {
  if (kind === 'batch') return batch;
  return defineHandler<Payload, Tx, Services>(jobs[kind], async (input) => {
    const { payload, ctx, services } = input;
    services.started([ctx.jobId]);
    await pause(payload, 'start');
    if (payload.kills) process.exit(13);
    if (ctx.attempt <= payload.failures) throw new Error('failed on purpose');
    const outcome = await runs[kind](input);
    return outcome as Awaited<ReturnType<JobHandler['run']>>;
  });
}

async function pause(payload: Payload, at: Payload['pauseAt']): Promise<void> {
  if (payload.pauseAt === at && payload.pauseMs > 0) await sleep(payload.pauseMs);
}

/**
 * Nothing in the table refuses a second one: that is for the end to count. What was
 * asked of a keyed job is all visible when it runs, or it ran before a commit that it had to wait for.
 */
async function leave(tx: Tx, jobId: string, part: string): Promise<void> {
  await sqlOf(tx)`
    insert into effect (job_id, part, worker, seen)
    values (${jobId}, ${part}, ${process.pid}, (select count(*) from asked where job_id = ${jobId}))`;
}
