/**
 * Traces: which request caused which job, and how long each took. Code asks
 * `@opentelemetry/api` alone, which does nothing until a process opens this door
 * with somewhere to send spans. Off, the SDK is not even loaded.
 *
 * @example
 * const tracing = await openTracing({ serviceName: 'ballast-api', release, exporterUrl, log });
 * if (tracing.on) app.use(traceRequests({ trusted: false }));
 * await tracing.close();
 */
import type { SpanSending } from './tracing-sdk.ts';

export interface TracingOptions extends Omit<SpanSending, 'exporterUrl'> {
  /** Tracing is off without it. */
  exporterUrl?: string | undefined;
}

export interface Tracing {
  readonly on: boolean;
  /** Sends what has gathered, for at most three seconds, and stops. */
  close(): Promise<void>;
}

/** Makes this process's spans real when there is somewhere to send them. At most one is open in a process. */
export async function openTracing(options: TracingOptions): Promise<Tracing> {
  const { exporterUrl } = options;
  if (exporterUrl === undefined) return { on: false, close: async () => {} };
  const { startTracing } = await import('./tracing-sdk.ts');
  return { on: true, close: startTracing({ ...options, exporterUrl }) };
}
