import { type Edge, type Env, endpointMeta, limitHeaders } from '@ballast/http';
import type { Logger } from '@ballast/observability/logger';
import type { AnsweredRequest } from '@ballast/observability/metrics-http';
import { Hono } from 'hono';
import { accessLog } from './http/access-log.ts';
import { bodyGuard } from './http/body-guard.ts';
import { callerAddress } from './http/client-address.ts';
import { deadline } from './http/deadline.ts';
import { installErrorEdge } from './http/error-edge.ts';
import type { Health } from './http/health.ts';
import { openApiDocument } from './http/openapi.ts';
import { originCheck } from './http/origin-check.ts';
import { probes } from './http/probes.ts';
import { reference } from './http/reference.ts';
import { requestId } from './http/request-id.ts';
import { measureRequests } from './http/request-metrics.ts';
import { schemaGate } from './http/schema-gate.ts';
import { securityHeaders } from './http/security-headers.ts';
import { traceRequests } from './http/trace-requests.ts';

/** What the HTTP side needs of the process. */
export interface AppContext {
  publicUrl: string;
  trustedProxyHops: number;
  requestTimeoutMs: number;
  bodyLimitBytes: number;
  release: string;
  /** The names of the active modules. */
  modules: readonly string[];
  log: Logger;
  health: Health;
  edge: Edge;
  /** Told of each request, for the metrics. */
  answered?: (request: AnsweredRequest) => void;
  /** Whether requests are traced, and whether a proxy of ours wrote their `traceparent`. */
  tracing?: { trusted: boolean } | undefined;
}

/**
 * The API as a function from request to response: middleware in the order in which
 * a request passes it, then the modules' routes. It never listens.
 *
 * @example
 * const app = createApp(context, routes);
 * await app.request('/livez');
 */
export function createApp(context: AppContext, routes: Hono<Env>): Hono<Env> {
  const app = new Hono<Env>();
  installErrorEdge(app);
  app.use(requestId(context.trustedProxyHops));
  if (context.tracing) app.use(traceRequests(context.tracing));
  app.use(callerAddress(context.trustedProxyHops));
  app.use(accessLog(context.log));
  if (context.answered) app.use(measureRequests(context.answered));
  app.use(securityHeaders(context.publicUrl), limitHeaders());
  app.use(async (c, next) => {
    c.set('edge', context.edge);
    await next();
  });
  app.use(deadline(context.requestTimeoutMs));
  app.route('/', probes(context.health, context.release));
  app.use('/api/*', schemaGate(context.health));
  app.use('/api/*', originCheck(context.publicUrl));
  app.use('/api/*', bodyGuard(context.bodyLimitBytes));

  let document: Promise<object> | null = null;
  app.route(
    '/api',
    reference(() => (document ??= openApiDocument(routes, context))),
  );
  app.route('/', routes);
  refuseUndeclared(app);
  return app;
}

/** Default deny: a route that does not say who may call it stops the process, not only a test. */
function refuseUndeclared(app: Hono<Env>): void {
  const declared = new Map<string, boolean>();
  for (const { method, path, handler } of app.routes) {
    if (method === 'ALL' || !path.startsWith('/api/')) continue;
    const route = `${method} ${path}`;
    declared.set(route, declared.get(route) === true || endpointMeta(handler) !== null);
  }
  const forgotten = [...declared].filter(([, known]) => !known).map(([route]) => route);
  if (forgotten.length === 0) return;
  throw new Error(`These routes do not say who may call them; give each an endpoint(): ${forgotten.join(', ')}.`);
}
