import { clientAddress } from '@ballast/cache/client-address';
import type { Env } from '@ballast/http';
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';

/** Sets `c.var.address`. */
export function callerAddress(hops: number): MiddlewareHandler<Env> {
  return async (c, next) => {
    const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
    c.set('address', clientAddress(incoming?.socket?.remoteAddress, c.req.header('x-forwarded-for'), hops));
    await next();
  };
}
