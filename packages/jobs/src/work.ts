/**
 * The worker's door: opens consumers, dispatcher, sweep and heartbeat, and releases
 * them in the order in which no job is lost or waits for a lock.
 *
 * @example
 * const worker = await startWorker({ db, jobsDb, transport, jobs, services, queues: { default: 10 }, log, release });
 * await worker.close({ graceMs: 10_000 });
 */
import type { Database } from '@ballast/db';
import type { Log, ScheduleDefinition } from '@ballast/kernel';
import { uuidv7 } from 'uuidv7';
import { openCompletions } from './completions.ts';
import { startDispatcher } from './dispatch.ts';
import { startHeartbeat } from './heartbeat.ts';
import type { JobObserver } from './observe.ts';
import { runPack } from './run-pack.ts';
import type { RegisteredJob } from './run-row.ts';
import { registerSchedules } from './schedule.ts';
import { spacedReturns } from './spaced-returns.ts';
import { startSweep } from './sweep.ts';
import type { Transport } from './transport.ts';
import { startWatchdog } from './watchdog.ts';

export type { RegisteredJob } from './run-row.ts';

export interface WorkerOptions<Services> {
  /** The app's pool: handlers' transactions, under the tenants' policies. */
  db: Database;
  /** The dispatcher role's pool: the jobs tables of all tenants. */
  jobsDb: Database;
  transport: Transport;
  jobs: readonly RegisteredJob<Services>[];
  services: Services;
  schedules?: readonly ScheduleDefinition[];
  log: Log;
  /** Packs at once, per queue. Queues that jobs name and this leaves out get `defaultSlots`. */
  queues?: Readonly<Record<string, number>>;
  /** What the heartbeat says it is: `worker`, or `api` when the API consumes too. */
  role?: string;
  release: string;
  /** Ends the process, for a supervisor to start it anew; by default it sends itself SIGTERM. */
  onWedged?: () => void;
  /** Told of what can be counted. */
  observe?: JobObserver | undefined;
}

export interface RunningWorker {
  readonly processId: string;
  /** Packs under way. */
  inFlight(): number;
  /** Takes no more, lets what runs end within `graceMs`, then aborts it and hands it back. */
  close(options: { graceMs: number }): Promise<void>;
}

const defaultSlots = 10;
/** How much one run moves a job's measured time. */
const weight = 0.2;

/** Starts to dispatch and consume. Resolves once the process is known to the others. */
export async function startWorker<Services>(options: WorkerOptions<Services>): Promise<RunningWorker> {
  const { db, jobsDb, transport, log, schedules = [], observe } = options;
  const processId = uuidv7();
  const registry = new Map(options.jobs.map((entry) => [`${entry.job.name}@${entry.job.version}`, loadedOnce(entry)]));
  const slots = slotsOf(options);
  const packs = new Map<string, string>();
  const takenAt = new Map<string, number>();
  let stopping = false;
  const runMs = new Map<string, number>();
  const abort = new AbortController();
  const completions = openCompletions(jobsDb, log);

  await registerSchedules(jobsDb, schedules);
  const heartbeat = await startHeartbeat(
    jobsDb,
    {
      processId,
      role: options.role ?? 'worker',
      release: options.release,
      slots,
      knows: [...registry.keys()],
      schedules: schedules.map((schedule) => schedule.name),
      now: () => ({ packs: [...packs.keys()], runMs: Object.fromEntries(runMs) }),
    },
    log,
  );

  const runner = {
    db,
    jobsDb,
    processId,
    completions,
    services: options.services,
    log,
    shutdown: abort.signal,
    observe,
    stopping: () => stopping,
    returned: () => dispatcher.wake(),
    find: (name: string, version: number) => registry.get(`${name}@${version}`),
    unknownAfterMs: spacedReturns(),
    measured: (name: string, ms: number) => runMs.set(name, (runMs.get(name) ?? ms) * (1 - weight) + ms * weight),
  };
  const run = async (queue: string, packId: string) => {
    // Handed out again while it runs here: it is the same pack, and nobody else's.
    if (packs.has(packId)) return;
    packs.set(packId, queue);
    takenAt.set(queue, performance.now());
    try {
      await runPack(runner, packId);
    } catch (error) {
      // The rows are still this pack's: the sweep returns them.
      log.error({ packId, error: (error as Error).message }, 'pack not finished');
    } finally {
      packs.delete(packId);
      dispatcher.slotFreed();
    }
  };

  const dispatcher = startDispatcher({
    db: jobsDb,
    transport,
    log,
    observe,
    schedules: new Map(schedules.map((schedule) => [schedule.name, schedule])),
  });
  const consumers = Object.entries(slots).map(([queue, count]) =>
    transport.consume(queue, count, (packId) => run(queue, packId)),
  );
  const sweeper = startSweep({
    ...{ db: jobsDb, transport, log, observe, witnessId: processId },
    onReturned: () => dispatcher.wake(),
  });
  const startedAt = performance.now();
  const watchdog = startWatchdog({
    db: jobsDb,
    transport,
    log,
    onWedged: options.onWedged ?? (() => process.kill(process.pid, 'SIGTERM')),
    idleQueues: (idleMs) =>
      Object.entries(slots)
        .filter(([queue, count]) => {
          const idle = performance.now() - (takenAt.get(queue) ?? startedAt) > idleMs;
          return idle && [...packs.values()].filter((busy) => busy === queue).length < count;
        })
        .map(([queue]) => queue),
  });

  return {
    processId,
    inFlight: () => packs.size,
    async close({ graceMs }) {
      stopping = true;
      watchdog.close();
      // Side by side: a store that does not answer keeps a dispatcher for seconds, and none of them is the handlers'.
      const drained = Promise.all([
        dispatcher.close(),
        sweeper.close(),
        ...consumers.map((consumer) => consumer.close()),
      ]);
      if (!(await within(graceMs, drained))) {
        abort.abort(new Error('The process is shutting down.'));
        // Handlers that heed their signal hand back at once; the rest a second later.
        if (!(await within(3_000, drained))) {
          completions.giveUp();
          await within(2_000, Promise.all(consumers.map((consumer) => consumer.abandon())));
        }
      }
      // Without it the sweep waits for the silence of this process.
      await within(2_000, heartbeat.close());
    },
  };
}

/** An import is answered from a cache, but by several promises each time. One that failed is tried again. */
function loadedOnce<Services>(entry: RegisteredJob<Services>): RegisteredJob<Services> {
  let loading: ReturnType<typeof entry.load> | null = null;
  return {
    job: entry.job,
    load() {
      loading ??= entry.load().catch((error) => {
        loading = null;
        throw error;
      });
      return loading;
    },
  };
}

function slotsOf(options: Pick<WorkerOptions<never>, 'jobs' | 'queues'>): Record<string, number> {
  const slots: Record<string, number> = { ...options.queues };
  for (const { job } of options.jobs) slots[job.queue] ??= defaultSlots;
  return slots;
}

/** True when `work` ended in time. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const ended = work.then(
    () => true as const,
    () => true as const,
  );
  return Promise.race([ended, late]).finally(() => clearTimeout(timer));
}
