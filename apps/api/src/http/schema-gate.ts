import type { Env } from '@ballast/http';
import type { MiddlewareHandler } from 'hono';
import type { Health } from './health.ts';

/**
 * Until this process has once seen the schema that it was built for, a request gets
 * the reason instead of a failure in the middle. After that it costs nothing: an
 * outage later on is answered by the query that meets it.
 */
export function schemaGate(health: Health): MiddlewareHandler<Env> {
  return async (_, next) => {
    const problem = health.draining() ? null : await health.notReady();
    if (problem) throw problem;
    await next();
  };
}
