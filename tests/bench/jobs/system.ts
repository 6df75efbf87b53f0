/** Where a run takes place: a database of its own, and an empty Redis. */
export interface Place {
  adminUrl: string;
  ownerUrl: string;
  appUrl: string;
  dispatcherUrl: string;
  redisUrl: string;
}

/** What a handler does: nothing, or write one row in a transaction. */
export type Work = 'nothing' | 'transaction';

/** The side that adds jobs; each job carries a number. */
export interface Producer {
  /** Adds jobs as one commit. */
  addBatch(numbers: readonly number[]): Promise<void>;
  /** Writes one row and adds its job, as the system would have it. Returns when the row was committed (`now`). */
  writeAndAdd(number: number): Promise<number>;
  close(): Promise<void>;
}

export interface WorkerOptions {
  work: Work;
  /** Jobs, or packs, at once. */
  slots: number;
  /** A handler has run to its end. */
  handled(number: number): void;
  /** A job's completion is committed, where the system tells. */
  completed(number: number): void;
}

export interface Worker {
  /** Jobs that are not completed yet, as the store has it. */
  remaining(): Promise<number>;
  close(): Promise<void>;
}

/** A job system at its documented best settings. */
export interface System {
  name: string;
  /** Creates what it needs in an empty place. */
  prepare(place: Place): Promise<void>;
  openProducer(place: Place): Promise<Producer>;
  openWorker(place: Place, options: WorkerOptions): Promise<Worker>;
}

/** Milliseconds by a clock that all processes of a machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
