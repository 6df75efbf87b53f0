import type { Env } from '@ballast/http';
import { AppError } from '@ballast/kernel';
import type { MiddlewareHandler } from 'hono';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A write that carries cookies must come from our own pages: a browser sends the
 * cookies along with other sites' requests too, and always says whose they are.
 * What is no browser names no origin, and nobody's cookies are sent behind their back.
 *
 * A page of ours on a tenant's own domain may write nothing either, cookies or not: whoever
 * has that domain can lead it elsewhere, and would be sent the session that began there
 * (docs/decisions/0033).
 */
export function originCheck(publicUrl: string): MiddlewareHandler<Env> {
  const own = new URL(publicUrl).origin;
  return async (c, next) => {
    if (safeMethods.has(c.req.method)) return next();
    const origin = c.req.header('origin');
    if (origin !== own && isOfHost(origin, c.req.header('host'))) throw onOtherDomain(own);
    if (c.req.header('cookie') === undefined) return next();
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

/** Whether a page asks the very host that it came from. */
function isOfHost(origin: string | undefined, host: string | undefined): boolean {
  return origin !== undefined && host !== undefined && URL.parse(origin)?.host === host.toLowerCase();
}

function onOtherDomain(own: string): AppError {
  return new AppError('request.other_domain', {
    status: 403,
    public: `Accounts are not used on this domain. Sign in at ${own} instead.`,
  });
}
