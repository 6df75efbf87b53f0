import { apiConnections, workerConnections } from './connections.ts';
import type { Deployment, Load, MeasuredCosts } from './costs.ts';
import { waitFor } from './erlang.ts';

/** A part of the system that can be full. */
export interface Station {
  name:
    | 'api'
    | 'worker processor'
    | 'worker slots'
    | 'postgres processor'
    | 'postgres connections'
    | 'wal'
    | 'redis-queue'
    | 'redis-cache';
  /** 1 is full: work then gathers without end. */
  utilisation: number;
  /** More of it comes with more replicas of this; null when only a larger machine gives more. */
  replicas: 'api' | 'worker' | null;
}

export interface Prediction {
  stations: Station[];
  /** Milliseconds from a request's arrival at an API to its answer. Infinite when a station is full. */
  requestMs: { mean: number; p99: number };
  /** Milliseconds that a due job waits for a free slot. */
  jobWaitMs: { mean: number; p99: number };
}

/** Both share their processor among all that is under way, and so do the backends of Postgres. */
const sharedTime = (seconds: number, utilisation: number) =>
  utilisation >= 1 ? Number.POSITIVE_INFINITY : seconds / (1 - utilisation);

/**
 * A network of queues, each by itself:
 * an API process and a Redis are one thread that is shared (M/G/1 processor sharing: mean = s / (1 - u), whatever the
 * distribution of s), Postgres is several (M/M/c), worker slots are servers before one line (M/M/c, Erlang C).
 * A request's time is the sum of its stations' times; its p99 is that of an exponential distribution of that mean,
 * which is exact for one M/M/1 station and on the safe side for a sum of several.
 *
 * Source: L. Kleinrock, Queueing Systems I (1975), 3.2 and 3.5; II (1976), 4.4.
 */
export function predict(costs: MeasuredCosts, load: Load, deployment: Deployment): Prediction {
  const { request, job } = costs;
  const { requestsPerSecond, jobsPerSecond } = load;
  const perApi = (requestsPerSecond * request.processMicroseconds) / 1e6 / deployment.apiReplicas;
  const perWorker = (jobsPerSecond * job.processMicroseconds) / 1e6 / deployment.workerReplicas;
  const slots = deployment.workerReplicas * deployment.slotsPerWorker;
  // A slot is held while its pack is opened and its outcome written, too.
  const slotSeconds =
    load.handlerMs / 1_000 + (job.processMicroseconds + job.postgresMicroseconds + job.redisMicroseconds) / 1e6;
  const postgres = (requestsPerSecond * request.postgresMicroseconds + jobsPerSecond * job.postgresMicroseconds) / 1e6;
  const cache = (requestsPerSecond * request.redisMicroseconds) / 1e6;
  const queue = (jobsPerSecond * job.redisMicroseconds) / 1e6;
  const connections =
    deployment.apiReplicas * apiConnections(deployment.poolSize) +
    deployment.workerReplicas * workerConnections(deployment.poolSize);
  const wal = requestsPerSecond * request.walBytes + jobsPerSecond * job.walBytes;
  const stations: Station[] = [
    { name: 'api', utilisation: perApi, replicas: 'api' },
    { name: 'worker processor', utilisation: perWorker, replicas: 'worker' },
    { name: 'worker slots', utilisation: (jobsPerSecond * slotSeconds) / slots, replicas: 'worker' },
    { name: 'postgres processor', utilisation: postgres / deployment.postgresCores, replicas: null },
    { name: 'postgres connections', utilisation: connections / deployment.postgresConnections, replicas: null },
    { name: 'wal', utilisation: wal / deployment.walBytesPerSecond, replicas: null },
    { name: 'redis-cache', utilisation: cache, replicas: null },
    { name: 'redis-queue', utilisation: queue, replicas: null },
  ];
  const statements = requestsPerSecond * request.postgresStatements + jobsPerSecond * job.postgresStatements;
  const perStatement = statements === 0 ? 0 : postgres / statements;
  const postgresSeconds =
    request.postgresMicroseconds / 1e6 +
    request.postgresStatements * waitFor(deployment.postgresCores, statements, perStatement).mean;
  const mean =
    1_000 *
    (sharedTime(request.processMicroseconds / 1e6, perApi) +
      sharedTime(request.redisMicroseconds / 1e6, cache) +
      postgresSeconds);
  const wait = waitFor(slots, jobsPerSecond, slotSeconds);
  return {
    stations,
    requestMs: { mean, p99: mean * Math.log(100) },
    jobWaitMs: { mean: wait.mean * 1_000, p99: wait.p99 * 1_000 },
  };
}
