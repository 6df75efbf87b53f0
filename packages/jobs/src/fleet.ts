/** Silent for this long means dead. Five missed beats; by the database's clock alone. */
export const silentAfterMs = 15_000;
export const beatEveryMs = 3_000;
/** Beats further apart than this: the process, or Postgres, was away in between. */
export const gapMs = 8_000;

/** What the living workers can do together. */
export interface Fleet {
  /** Packs at once, per queue. */
  slots: Map<string, number>;
  /** `name@version` of every job that somebody can run. */
  knows: Set<string>;
  /** The slowest recent run time of a job, in milliseconds; absent while nobody has run it. */
  runMs: Map<string, number>;
}
