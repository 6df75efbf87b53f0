import type { Env } from '@ballast/http';
import type { Metrics } from '@ballast/observability/metrics';
import { Hono } from 'hono';

/** For Prometheus, on ports that the public does not reach: never under /api. */
export function metricsRoute(metrics: Metrics): Hono<Env> {
  return new Hono<Env>().get('/metrics', async (c) =>
    c.body(await metrics.scrape(), 200, { 'content-type': metrics.contentType }),
  );
}
