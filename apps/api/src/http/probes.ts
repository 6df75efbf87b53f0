import { type Env, problemOf } from '@ballast/http';
import type { Logger } from '@ballast/observability/logger';
import type { Metrics } from '@ballast/observability/metrics';
import { Hono } from 'hono';
import { accessLog } from './access-log.ts';
import { deadline } from './deadline.ts';
import { installErrorEdge } from './error-edge.ts';
import type { Health } from './health.ts';
import { metricsRoute } from './metrics.ts';
import { requestId } from './request-id.ts';

/**
 * For balancers and people: `/livez` says that the process answers, `/readyz`
 * whether it wants traffic, `/health` looks at what it depends on. Worker and API share them.
 */
export function probes(health: Health, release: string): Hono<Env> {
  return new Hono<Env>()
    .get('/livez', (c) => c.json({ status: 'alive' }))
    .get('/readyz', async (c) => {
      const problem = await health.notReady();
      if (problem) throw problem;
      return c.json({ status: 'ready' });
    })
    .get('/health', async (c) => {
      const { checks, problem } = await health.report();
      // Doctor compares replicas by these two, and calls none too old while one has just started.
      const build = { release, upSeconds: Math.floor(process.uptime()) };
      if (!problem) return c.json({ status: 'healthy', ...build, checks });
      // The code and sentence of the first failure, and all that was looked at beside it.
      const body = { ...problemOf(problem, c.var.requestId), ...build, checks };
      return c.json(body, 503, { 'content-type': 'application/problem+json', 'retry-after': '2' });
    });
}

/** Probes and metrics on a port of their own, which the public does not reach. */
export function createProbeApp(health: Health, release: string, log: Logger, metrics: Metrics): Hono<Env> {
  const app = new Hono<Env>();
  installErrorEdge(app);
  app.use(requestId(0), accessLog(log), deadline(5_000));
  return app.route('/', probes(health, release)).route('/', metricsRoute(metrics));
}
