import { type Database, doorsTo } from '@ballast/db';
import { type Edge, limitUse, type RequestContext, type Services } from '@ballast/http';

type Caller = Parameters<Edge['open']>[0];

/** What an action is handed in a request. Its transactions see the tenant's rows and the person's own. */
export function openRequestContext(db: Database, services: Services, caller: Caller): RequestContext {
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
