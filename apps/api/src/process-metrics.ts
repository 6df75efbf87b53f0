import type { JobObserver } from '@ballast/jobs/observe';
import { type Metrics, openMetrics } from '@ballast/observability/metrics';
import { backlogMetrics } from '@ballast/observability/metrics-backlog';
import { poolMetrics } from '@ballast/observability/metrics-connections';
import { countEnqueued, jobMetrics } from '@ballast/observability/metrics-jobs';
import type { Config } from './config.ts';
import type { Release } from './context.ts';
import { release } from './release.ts';

export interface ProcessMetrics {
  metrics: Metrics;
  /** For whatever consumes jobs; undefined in a process that only adds them. */
  observe: JobObserver | undefined;
}

/** Opens what this process counts. Only one that consumes may read the jobs of all tenants. */
export function openProcessMetrics(
  config: Config<'api'> | Config<'worker'>,
  modules: readonly string[],
): [ProcessMetrics, Release] {
  const { process } = config;
  const metrics = openMetrics({ service: process, release, modules });
  poolMetrics(metrics);
  const stopCounting = countEnqueued(metrics);
  const databaseUrl = consumes(config) ? config.values.DATABASE_DISPATCHER_URL : undefined;
  const closeBacklog = databaseUrl
    ? backlogMetrics(metrics, { databaseUrl, applicationName: `ballast-${process}-metrics` })
    : async () => {};
  const close = async () => {
    metrics.close();
    stopCounting();
    await closeBacklog();
  };
  return [{ metrics, observe: databaseUrl ? jobMetrics(metrics) : undefined }, close];
}

function consumes(config: Config<'api'> | Config<'worker'>): boolean {
  return config.process === 'worker' || !(config as Config<'api'>).values.DISABLE_BACKGROUND_WORKERS;
}
