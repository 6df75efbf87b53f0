import type { MiddlewareHandler } from 'hono';
import type { Env } from './context.ts';
import type { Standing } from './limit-use.ts';
import { setHeader } from './set-header.ts';

/**
 * Tells callers where they stand, on every answer of a route with limits: which rules
 * there are, what is left, and when they begin anew (draft-ietf-httpapi-ratelimit-headers-11).
 *
 * @example
 * RateLimit-Policy: "accounts.sign-in.address";q=60;w=300
 * RateLimit: "accounts.sign-in.address";r=59;t=300
 */
export function limitHeaders(): MiddlewareHandler<Env> {
  return async (c, next) => {
    await next();
    const standings = c.get('standings') ?? [];
    if (standings.length === 0) return;
    setHeader(
      c,
      'RateLimit-Policy',
      list(standings, ({ rule }) => `q=${rule.limit};w=${rule.windowSeconds}`),
    );
    setHeader(
      c,
      'RateLimit',
      list(standings, ({ remaining, resetSeconds }) => `r=${remaining};t=${resetSeconds}`),
    );
  };
}

/** A list of structured strings with parameters (RFC 9651); the names are ours and need no escape. */
function list(standings: readonly Standing[], parameters: (standing: Standing) => string): string {
  return standings.map((standing) => `"${standing.rule.name}";${parameters(standing)}`).join(', ');
}
