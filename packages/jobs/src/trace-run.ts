import { AppError, type JobDefinition } from '@ballast/kernel';
import { formatTraceParent, parseTraceParent, tracerName } from '@ballast/kernel/trace-parent';
import {
  type Attributes,
  context,
  createContextKey,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import type { RunEnd } from './observe.ts';

const running = createContextKey('ballast.job');

/**
 * What a job's row keeps of the span that asked for it; null outside any. A job that
 * adds one of its own kind begins a new trace: it would otherwise have no end.
 */
export function causeOf(job: string): string | null {
  const cause = trace.getActiveSpan()?.spanContext();
  if (!cause || !isSpanContextValid(cause) || context.active().getValue(running) === job) return null;
  return formatTraceParent({ ...cause, sampled: (cause.traceFlags & TraceFlags.SAMPLED) !== 0 });
}

export interface TracedRow {
  id: string;
  name: string;
  attempt: number;
  tenantId: string | null;
  trace: string | null;
  waitMs: number;
}

/** Told once, when the handler has ended. `lost`: another worker has the job now. */
export type TellEnd = (end: RunEnd | 'lost', error?: Error) => void;

/**
 * One span for each start of a job, under the span that asked for it: one id then leads
 * from the request to each attempt of each job that it caused, and what was decided of
 * keeping the request's trace holds for them. A scheduled job was asked for by nobody and begins a
 * trace. Without tracing this is a call.
 */
export function inRunSpan<Result>(
  job: Pick<JobDefinition, 'queue'>,
  row: TracedRow,
  work: (ended: TellEnd) => Promise<Result>,
): Promise<Result> {
  const cause = causeIn(row);
  const parent = cause ? trace.setSpanContext(ROOT_CONTEXT, cause) : ROOT_CONTEXT;
  const attributes = {
    'job.id': row.id,
    'job.attempt': row.attempt,
    'job.queue': job.queue,
    'job.wait_ms': Math.round(row.waitMs),
    ...(row.tenantId === null ? {} : { 'job.tenant': row.tenantId }),
  };
  const span = trace
    .getTracer(tracerName)
    .startSpan(`job ${row.name}`, { kind: SpanKind.CONSUMER, attributes }, parent);
  const ended: TellEnd = (end, error) => {
    span.setAttribute('job.outcome', end);
    if (end === 'retried' || end === 'dead') span.setStatus({ code: SpanStatusCode.ERROR });
    if (error) span.setAttribute('error.type', typeOf(error));
    span.end();
  };
  return context.with(trace.setSpan(parent, span).setValue(running, row.name), () => work(ended));
}

/** Told once, with what became of each job; the error is the handler's own. */
export type TellBatchEnd = (ends: readonly (RunEnd | 'lost')[], error?: unknown) => void;

/**
 * One span for one call of a batch handler. It has as many causes as jobs, and a span can
 * have one parent: so it begins a trace, and links to what asked for each job, as
 * OpenTelemetry's conventions for messaging say.
 */
export function inBatchSpan<Result>(
  job: Pick<JobDefinition, 'name' | 'queue'>,
  rows: readonly TracedRow[],
  work: (ended: TellBatchEnd) => Promise<Result>,
): Promise<Result> {
  const links = rows.flatMap((row) => {
    const cause = causeIn(row);
    return cause ? [{ context: cause, attributes: { 'job.id': row.id, 'job.attempt': row.attempt } }] : [];
  });
  const tenantId = rows[0]?.tenantId ?? null;
  const attributes: Attributes = {
    'job.queue': job.queue,
    'job.wait_ms': Math.round(Math.max(...rows.map((row) => row.waitMs))),
    'messaging.batch.message_count': rows.length,
    ...(tenantId === null ? {} : { 'job.tenant': tenantId }),
  };
  const span = trace
    .getTracer(tracerName)
    .startSpan(`job ${job.name}`, { kind: SpanKind.CONSUMER, attributes, links }, ROOT_CONTEXT);
  const ended: TellBatchEnd = (ends, error) => {
    for (const [end, jobs] of Map.groupBy(ends, (one) => one)) span.setAttribute(`job.outcome.${end}`, jobs.length);
    if (ends.includes('retried') || ends.includes('dead')) span.setStatus({ code: SpanStatusCode.ERROR });
    if (error instanceof Error) span.setAttribute('error.type', typeOf(error));
    span.end();
  };
  return context.with(trace.setSpan(ROOT_CONTEXT, span).setValue(running, job.name), () => work(ended));
}

/** The span that asked for a job, as another process wrote it down. */
function causeIn({ trace: kept }: TracedRow) {
  const cause = parseTraceParent(kept);
  return (
    cause && {
      traceId: cause.traceId,
      spanId: cause.spanId,
      traceFlags: cause.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      isRemote: true,
    }
  );
}

/** Its code or kind; what it says may be somebody's data, and stands with the job. */
const typeOf = (error: Error) => (error instanceof AppError ? error.code : error.name);
