import type { Deployment, Load, MeasuredCosts } from './costs.ts';
import { type Prediction, predict, type Station } from './predict.ts';

export interface Plan {
  deployment: Deployment;
  prediction: Prediction;
  /** Parts that more replicas cannot relieve, and that this load fills beyond the goal. */
  full: Station[];
}

/** More replicas than this is another architecture. */
const mostReplicas = 10_000;

/** The fewest replicas that keep every part below `utilisation` that replicas can relieve. */
export function plan(
  costs: MeasuredCosts,
  load: Load,
  base: Omit<Deployment, 'apiReplicas' | 'workerReplicas'>,
  utilisation = 0.6,
): Plan {
  const one = predict(costs, load, { ...base, apiReplicas: 1, workerReplicas: 1 });
  // What a replica relieves falls in proportion to their number.
  const needed = (kind: 'api' | 'worker') =>
    Math.max(
      1,
      ...one.stations
        .filter(({ replicas }) => replicas === kind)
        .map((station) => Math.ceil(station.utilisation / utilisation - 1e-9)),
    );
  const deployment = { ...base, apiReplicas: needed('api'), workerReplicas: needed('worker') };
  if (Math.max(deployment.apiReplicas, deployment.workerReplicas) > mostReplicas) {
    throw new RangeError(`This load needs more than ${mostReplicas} replicas.`);
  }
  const prediction = predict(costs, load, deployment);
  const full = prediction.stations.filter((station) => station.replicas === null && station.utilisation > utilisation);
  return { deployment, prediction, full };
}

/** How many times this load each shared part could carry with the replicas planned anew, the nearest limit first. */
export interface Limit {
  station: Station['name'];
  /** 1 is this load; the part is full, not merely at the goal. */
  times: number;
}

export function limits(
  costs: MeasuredCosts,
  load: Load,
  base: Omit<Deployment, 'apiReplicas' | 'workerReplicas'>,
  utilisation = 0.6,
): Limit[] {
  // Replicas grow with the load, and with them connections: all shared parts are met in proportion.
  const { prediction } = plan(costs, load, base, utilisation);
  return prediction.stations
    .filter(({ replicas, utilisation: used }) => replicas === null && used > 0)
    .map(({ name, utilisation: used }) => ({ station: name, times: 1 / used }))
    .toSorted((a, b) => a.times - b.times);
}
