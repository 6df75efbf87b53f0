import type { Env } from '@ballast/http';
import { AppError } from '@ballast/kernel';
import { parseTraceParent, tracerName } from '@ballast/kernel/trace-parent';
import {
  context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import type { Context, MiddlewareHandler } from 'hono';
import { isProbe } from './access-log.ts';
import { matchedRoute } from './request-metrics.ts';

/**
 * One span for each request, around everything that it does. A `traceparent` is taken for the cause of the
 * request only when the proxy in front wrote it (`trusted`): whoever calls could otherwise choose our trace's id, mix
 * their requests into another's trace, and decide what is kept. Anyone else's is linked.
 */
export function traceRequests({ trusted }: { trusted: boolean }): MiddlewareHandler<Env> {
  const tracer = trace.getTracer(tracerName);
  return async (c, next) => {
    if (isProbe(c.req.path)) return next();
    const given = remoteSpan(c.req.header('traceparent'));
    const parent = trusted && given ? trace.setSpanContext(ROOT_CONTEXT, given) : ROOT_CONTEXT;
    const span = tracer.startSpan(
      c.req.method,
      {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': c.req.method, 'ballast.request_id': c.var.requestId },
        links: !trusted && given ? [{ context: given }] : [],
      },
      parent,
    );
    try {
      await context.with(trace.setSpan(parent, span), next);
    } finally {
      describeAnswer(span, c);
      span.end();
    }
  };
}

function remoteSpan(header: string | undefined): SpanContext | null {
  const parent = parseTraceParent(header);
  if (!parent) return null;
  const { traceId, spanId, sampled } = parent;
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

/** By the route's pattern, never by the path: people choose it. The error's words stay in the log. */
function describeAnswer(span: Span, c: Context<Env>): void {
  const route = matchedRoute(c);
  if (route !== null) {
    span.updateName(`${c.req.method} ${route}`);
    span.setAttribute('http.route', route);
  }
  const { status } = c.res;
  span.setAttribute('http.response.status_code', status);
  if (status < 500) return;
  span.setAttribute('error.type', c.error instanceof AppError ? c.error.code : (c.error?.name ?? String(status)));
  span.setStatus({ code: SpanStatusCode.ERROR });
}
