/** What one piece of work takes from each part of the system, on average. */
export interface Costs {
  /** Processor time of the process that serves it: an API's for a request, a worker's for a job. */
  processMicroseconds: number;
  postgresMicroseconds: number;
  postgresStatements: number;
  walBytes: number;
  /** Processor time of the Redis that it uses: the cache's for a request, the queue's for a job. */
  redisMicroseconds: number;
  redisCommands: number;
}

/** What `pnpm bench capacity` measured, and on what. */
export interface MeasuredCosts {
  /** The day, as 2026-11-24. */
  measuredOn: string;
  /** Of the project. */
  commit: string;
  machine: string;
  request: Costs;
  job: Costs;
}

/** What comes in. */
export interface Load {
  requestsPerSecond: number;
  jobsPerSecond: number;
  /** How long a handler holds its slot, from its first to its last statement, and mostly waits. */
  handlerMs: number;
}

/** What is there to meet it. */
export interface Deployment {
  apiReplicas: number;
  workerReplicas: number;
  /** Jobs at once in one worker. */
  slotsPerWorker: number;
  /** `DATABASE_POOL_SIZE`: connections of one pool. */
  poolSize: number;
  postgresCores: number;
  /** Postgres' `max_connections`, less what it keeps for the superuser. */
  postgresConnections: number;
  /** What the disk under the write-ahead log takes, for good. */
  walBytesPerSecond: number;
}
