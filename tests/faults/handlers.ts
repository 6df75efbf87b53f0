import { setTimeout as pause } from 'node:timers/promises';
import { sqlOf, type Tx } from '@ballast/db';
import { defineJob, type JobContext } from '@ballast/kernel';
import { type Mail, messageIdOf } from '@ballast/mail';
import { z } from 'zod';

/** The one job of the faults: it writes one row in its transaction. */
export const effect = defineJob({
  name: 'faults.effect',
  payload: z.strictObject({ n: z.int() }),
  attempts: 3,
  backoff: { firstMs: 100, maxMs: 100 },
  // Of a thousand that wait for each other on a busy machine.
  timeoutMs: 600_000,
});

/** The same job in a later release, with a payload of another shape. */
export const laterEffect = defineJob({
  ...effect,
  version: 2,
  payload: z.strictObject({ n: z.int(), note: z.string() }),
});

export interface Services {
  mail: Mail | null;
}

interface Run {
  payload: { n: number };
  ctx: JobContext<Tx>;
  services: Services;
}

/** How long row 0 takes, or blocks. */
const ms = Number(process.env.FAULT_MS ?? 0);

/** What `FAULT_HANDLER` names. The faults strike row 0, where only one is to be struck. */
export const handlers: Record<string, (run: Run) => Promise<void>> = {
  plain: write,
  poison(run) {
    if (run.payload.n === 0) process.exit(13);
    return write(run);
  },
  async 'freeze-outside'(run) {
    await freeze();
    await write(run);
  },
  'freeze-inside': (run) => write(run, freeze),
  'freeze-within-a-statement': (run) =>
    write(run, async (tx) => {
      // Its first use takes two messages; frozen after the first, Postgres waits for the second.
      const waits = sqlOf(tx)`select ${run.payload.n}::int as n`.execute();
      waits.catch(() => {});
      for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
      await freeze();
      await waits;
    }),
  async block(run) {
    if (run.payload.n === 0) {
      process.stdout.write('blocked\n');
      const until = performance.now() + ms;
      while (performance.now() < until);
    }
    await write(run);
  },
  async long(run) {
    process.stdout.write('started\n');
    if (run.payload.n === 0) await pause(ms);
    await write(run);
  },
  mail,
  async 'mail-then-killed'(run) {
    await mail(run);
    if (run.payload.n !== 0) return;
    process.kill(process.pid, 'SIGKILL');
    await pause(10_000);
  },
  async 'mail-together'(run) {
    await gathered();
    await mail(run);
  },
  /** Two rows of one table, in an order that depends on the job: side by side they deadlock. */
  conflict: (run) =>
    write(run, async (tx) => {
      const order = run.payload.n % 2 === 0 ? [0, 1] : [1, 0];
      for (const id of order) {
        await sqlOf(tx)`update account set balance = balance + 1 where id = ${id}`;
        // Two that begin side by side meet, also when one begins late.
        await pause(300);
      }
    }),
  /** The same rows in one order, for so long that two meet; each try is counted, also one that is rolled back. */
  serialize: (run) =>
    write(run, async (tx) => {
      await sqlOf(tx)`select nextval('try')`;
      await pause(400);
      for (const id of [0, 1]) await sqlOf(tx)`update account set balance = balance + 1 where id = ${id}`;
    }),
};

async function write({ payload, ctx }: Run, inside: (tx: Tx) => Promise<void> = async () => {}): Promise<void> {
  await ctx.transaction(async (tx) => {
    await sqlOf(tx)`insert into effect (n) values (${payload.n})`;
    await inside(tx);
  });
}

async function mail({ ctx, services }: Run): Promise<void> {
  await services.mail?.send({
    messageId: messageIdOf(ctx.jobId, 'faults.test'),
    to: 'ada@example.com',
    subject: 'A fault',
    html: '<p>A fault</p>',
    text: 'A fault',
  });
}

let waiting = 0;
const released = Promise.withResolvers<void>();
process.once('SIGUSR2', () => released.resolve());

/** Holds every run until `FAULT_GATHER` of them are under way and the test lets them go. */
function gathered(): Promise<void> {
  waiting += 1;
  if (waiting === Number(process.env.FAULT_GATHER)) process.stdout.write('gathered\n');
  return released.promise;
}

async function freeze(): Promise<void> {
  process.stdout.write('frozen\n');
  process.kill(process.pid, 'SIGSTOP');
  // The signal arrives a moment later.
  await pause(50);
}
