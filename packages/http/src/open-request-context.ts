import { type Database, doorsTo } from '@ballast/db';
import type { Edge, RequestContext, Services } from './context.ts';
import { limitUse } from './limit-use.ts';

/**
 * What an action is handed in a request. Its transactions see the tenant's rows and the person's own.
 * A door of its own, for whoever opens a process's edge: modules, which only name the context, need no database for it.
 */
export function openRequestContext(
  db: Database,
  services: Services,
  caller: Parameters<Edge['open']>[0],
): RequestContext {
  const tenantId = caller.membership?.organizationId ?? null;
  const userId = caller.identity?.userId ?? null;
  return {
    ...caller,
    tenantId,
    userId,
    role: caller.membership?.role ?? null,
    services,
    ...doorsTo(db, { tenantId, userId }),
    settings: services.settings,
    limit: (rule, key) => limitUse(services.limiter, rule, key),
  };
}
