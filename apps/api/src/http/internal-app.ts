import type { Edge, Env } from '@ballast/http';
import type { Logger } from '@ballast/observability/logger';
import type { Metrics } from '@ballast/observability/metrics';
import type { Hono } from 'hono';
import { callerAddress } from './client-address.ts';
import type { Health } from './health.ts';
import { createProbeApp } from './probes.ts';

export interface InternalContext {
  health: Health;
  release: string;
  log: Logger;
  metrics: Metrics;
  edge: Edge;
}

/** The API's port that the public does not reach: probes, metrics, and the modules' `internal.ts`. No proxy stands before it. */
export function createInternalApp({ health, release, log, metrics, edge }: InternalContext, internal: Hono<Env>) {
  const app = createProbeApp(health, release, log, metrics);
  app.use('/internal/*', callerAddress(0), async (c, next) => {
    c.set('edge', edge);
    await next();
  });
  return app.route('/', internal);
}
