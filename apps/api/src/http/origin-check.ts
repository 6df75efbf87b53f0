import type { Env } from '@ballast/http';
import { AppError } from '@ballast/kernel';
import type { MiddlewareHandler } from 'hono';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A write that carries cookies must come from our own pages: a browser sends the
 * cookies along with other sites' requests too, and always says whose they are.
 * What is no browser names no origin, and nobody's cookies are sent behind their back.
 */
export function originCheck(publicUrl: string): MiddlewareHandler<Env> {
  const own = new URL(publicUrl).origin;
  return async (c, next) => {
    if (safeMethods.has(c.req.method) || c.req.header('cookie') === undefined) return next();
    const origin = c.req.header('origin');
    const site = c.req.header('sec-fetch-site');
    const ours =
      origin === undefined ? site === undefined || site === 'same-origin' || site === 'none' : origin === own;
    if (ours) return next();
    throw new AppError('request.cross_origin', {
      status: 403,
      public: `This request came from another site. Use ${own} instead.`,
    });
  };
}
