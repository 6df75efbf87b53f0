import type { JobDefinition } from './define-job.ts';

/**
 * What an action may do, in a request and in a job alike. In a job, `transaction`
 * is the fence: it commits the effects and the job's completion together.
 */
export interface ActionContext<Tx> {
  /** Whose rows `transaction` may see; null outside any organisation. */
  readonly tenantId: string | null;
  /** Who asked: a person, or null for the system. */
  readonly userId: string | null;
  readonly log: Log;
  /** One transaction, scoped to the tenant, committed when `work` resolves. No I/O inside but the database. */
  transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result>;
  /** The same for looking only: Postgres refuses to write in it. It is cheaper, and in a job it completes and keeps nothing. */
  read<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result>;
}

/** What a handler may do. */
export interface JobContext<Tx> extends ActionContext<Tx> {
  /** The job's id: the Message-ID or idempotency key of whatever leaves the system. */
  readonly jobId: string;
  /** 1 for the first start. */
  readonly attempt: number;
  /** Aborts at the job's timeout and when the process must go. */
  readonly signal: AbortSignal;
  /**
   * One commit of several: `work`'s writes and its result are kept together, so
   * that a repeat of the job returns the kept result and runs `work` no more.
   * The result is kept as JSON in clear: it must hold no secret.
   */
  step<Result>(key: string, work: (tx: Tx) => Promise<Result>): Promise<Result>;
  /**
   * Says how far the run is, from 0 to 1, for `ballast jobs show` and `list`. Call it as
   * often as you like: it returns at once, and the latest is written once a second, outside
   * `transaction`. The note is kept in clear.
   */
  progress(fraction: number, note?: string): void;
}

export interface Log {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
  debug(fields: Record<string, unknown>, message: string): void;
}

/** How a run ended. Returning nothing is `done`; a thrown error is `retry`, or `dead` when a repeat cannot help. */
export type Outcome =
  | { outcome: 'done' }
  | { outcome: 'retry'; error: Error; afterMs?: number }
  | { outcome: 'dead'; error: Error }
  | { outcome: 'cancelled'; reason: string }
  | { outcome: 'snoozed'; forMs: number };

/** Not yet: runs again later, and the start is not charged. */
export const snooze = (forMs: number): Outcome => ({ outcome: 'snoozed', forMs });

/** No longer needed. */
export const cancel = (reason: string): Outcome => ({ outcome: 'cancelled', reason });

/** A job's work. `services` are what the process opened: mail, settings, … */
export interface JobHandler<Payload = unknown, Tx = unknown, Services = unknown> {
  job: JobDefinition<Payload>;
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is the common case
  run(input: { payload: Payload; ctx: JobContext<Tx>; services: Services }): Promise<Outcome | void>;
}

/** Ties a handler to its job, so that the payload is typed by the job's schema. */
export function defineHandler<Payload, Tx, Services>(
  job: JobDefinition<Payload>,
  run: JobHandler<Payload, Tx, Services>['run'],
): JobHandler<Payload, Tx, Services> {
  return { job, run };
}

/** One job of a batch. */
export interface BatchItem<Payload> {
  readonly jobId: string;
  /** 1 for the first start. */
  readonly attempt: number;
  readonly payload: Payload;
}

/** What a batch handler may do: for jobs of one tenant, at most `batch` of them. */
export interface BatchContext<Tx> extends Pick<JobContext<Tx>, 'tenantId' | 'userId' | 'signal' | 'log' | 'read'> {
  /**
   * One transaction for the batch, to be used once. Locks those jobs that are still this
   * run's and hands `work` only them; commits the effects together with the completion of
   * every job for which `work` reports no other outcome.
   */
  transaction<Payload>(
    items: readonly BatchItem<Payload>[],
    work: (tx: Tx, live: readonly BatchItem<Payload>[]) => Promise<BatchOutcomes | undefined>,
  ): Promise<void>;
}

/** By job id; a job that is not named is done. */
export type BatchOutcomes = ReadonlyMap<string, Outcome>;

/** The work of many jobs of a kind at once: one statement for a hundred rows, one request for fifty messages. */
export interface BatchHandler<Payload = unknown, Tx = unknown, Services = unknown> {
  job: JobDefinition<Payload>;
  runBatch(input: {
    items: readonly BatchItem<Payload>[];
    ctx: BatchContext<Tx>;
    services: Services;
  }): Promise<BatchOutcomes | undefined>;
}

/** Ties a batch handler to its job, whose `batch` says how many it takes at once. */
export function defineBatchHandler<Payload, Tx, Services>(
  job: JobDefinition<Payload>,
  runBatch: BatchHandler<Payload, Tx, Services>['runBatch'],
): BatchHandler<Payload, Tx, Services> {
  if (job.batch === null)
    throw new Error(`${job.name} has a batch handler, so defineJob must say how large a batch is.`);
  // One job's secret could reach a log line or a failure of its neighbour.
  if (job.secrets.length > 0)
    throw new Error(`${job.name} has secret fields, which a batch handler cannot keep apart.`);
  return { job, runBatch };
}
