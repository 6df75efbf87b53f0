import type { Env } from '@ballast/http';
import type { Logger } from '@ballast/observability/logger';
import type { MiddlewareHandler } from 'hono';

const probes = new Set(['/livez', '/readyz', '/health', '/metrics']);

/** Whether a machine asks, every few seconds, for ever. */
export const isProbe = (path: string): boolean => probes.has(path);

/** One line for each request. Without its query: people's searches and links' tokens are in there. */
export function accessLog(root: Logger): MiddlewareHandler<Env> {
  return async (c, next) => {
    const startedAt = performance.now();
    const log = root.child({ requestId: c.get('requestId') });
    c.set('log', log);
    await next();
    const ctx = c.get('ctx');
    const fields = {
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
      address: c.get('address'),
      ...(ctx?.userId ? { userId: ctx.userId, tenantId: ctx.tenantId } : {}),
    };
    if (isProbe(c.req.path) && c.res.ok) log.debug(fields, 'request');
    else log.info(fields, 'request');
  };
}
