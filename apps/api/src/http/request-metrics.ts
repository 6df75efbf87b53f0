import type { Env } from '@ballast/http';
import type { AnsweredRequest } from '@ballast/observability/metrics-http';
import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';

/** Tells how long each request took, whoever answered it. */
export function measureRequests(answered: (request: AnsweredRequest) => void): MiddlewareHandler<Env> {
  return async (c, next) => {
    const startedAt = performance.now();
    await next();
    const seconds = (performance.now() - startedAt) / 1_000;
    answered({ method: c.req.method, route: matchedRoute(c), status: c.res.status, seconds });
  };
}

/** The pattern of the route that would have answered; middleware matches everything and says nothing. */
export function matchedRoute(c: Context<Env>): string | null {
  return matchedRoutes(c).findLast(({ method }) => method !== 'ALL')?.path ?? null;
}
