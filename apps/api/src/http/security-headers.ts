import { type Env, setHeader } from '@ballast/http';
import type { MiddlewareHandler } from 'hono';

/** For answers that are data: a browser that is led to one shows text and runs nothing. A route may set its own. */
export function securityHeaders(publicUrl: string): MiddlewareHandler<Env> {
  const headers = Object.entries({
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    ...(publicUrl.startsWith('https://') ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}),
  });
  return async (c, next) => {
    await next();
    for (const [name, value] of headers) if (!c.res.headers.has(name)) setHeader(c, name, value);
  };
}
