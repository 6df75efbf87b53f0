import type { Log } from '@ballast/kernel';
import { trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { cleanText, scrubFields } from './scrub.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** A log whose every line carries the fields it was made with. */
export interface Logger extends Log {
  child(fields: Record<string, unknown>): Logger;
}

export interface LoggerOptions {
  level: LogLevel;
  /** On every line: which process speaks, and which build. */
  base: { service: string; version?: string };
  /** Where lines go; standard output when left out. */
  destination?: { write(line: string): void };
}

/**
 * One JSON line per entry, with secrets, control characters and passwords in URLs removed (`scrub.ts`). Inside a
 * span it carries `trace_id` and `span_id`, so that the lines of a request and of its jobs are found together.
 *
 * @example
 * const log = createLogger({ level: 'info', base: { service: 'api' } });
 * log.child({ requestId }).info({ status: 200 }, 'request answered');
 */
export function createLogger(options: LoggerOptions): Logger {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: options.base,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  return wrap(options.destination ? pino(settings, options.destination) : pino(settings));
}

/** A child is made from the root each time: pino would write a name twice that parent and child both have. */
function wrap(root: pino.Logger, bindings: Record<string, unknown> = {}): Logger {
  const inner = Object.keys(bindings).length === 0 ? root : root.child(bindings);
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: Record<string, unknown>, message: string) => {
    if (inner.isLevelEnabled(level)) inner[level]({ ...spanIds(), ...scrubFields(fields) }, cleanText(message));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(root, { ...bindings, ...scrubFields(fields) }),
  };
}

function spanIds(): { trace_id: string; span_id: string } | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  return span && { trace_id: span.traceId, span_id: span.spanId };
}
