import { randomUUID } from 'node:crypto';
import { type Env, setHeader } from '@ballast/http';
import type { MiddlewareHandler } from 'hono';

const wellFormed = /^[A-Za-z0-9._-]{8,64}$/;

/**
 * One id from the proxy's log to the answer. It is taken over only when a proxy of
 * ours is in front: anyone else could make their requests look like another's.
 */
export function requestId(trustedProxyHops: number): MiddlewareHandler<Env> {
  return async (c, next) => {
    const given = trustedProxyHops > 0 ? c.req.header('x-request-id') : undefined;
    const id = given !== undefined && wellFormed.test(given) ? given : randomUUID();
    c.set('requestId', id);
    await next();
    setHeader(c, 'X-Request-Id', id);
  };
}
