import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Log } from '@ballast/kernel';
import { tracerName } from '@ballast/kernel/trace-parent';
import { context, ProxyTracerProvider, type TracerProvider, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider as SdkTracerProvider,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

export interface SpanSending {
  /** `service.name` in the traces: which process speaks. */
  serviceName: string;
  release: string;
  /** The base address of a receiver of OTLP over HTTP; `/v1/traces` is appended. */
  exporterUrl: string;
  /** Sent with each export: what a hosted receiver asks for. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** What else to say of this process, such as `deployment.environment.name`. */
  attributes?: Readonly<Record<string, string>> | undefined;
  /** The share of traces that are kept, decided where a trace begins; all of them when left out. */
  ratio?: number | undefined;
  log: Log;
}

/** An export that takes longer is given up: its memory is needed, and nobody waits for it. */
const exportTimeoutMs = 5_000;
const closeTimeoutMs = 3_000;
const warnEveryMs = 60_000;

/** The one file that loads the SDK. Returns what ends it. */
export function startTracing(options: SpanSending): () => Promise<void> {
  const exporter = new OTLPTraceExporter({
    url: `${options.exporterUrl.replace(/\/+$/, '')}/v1/traces`,
    headers: { ...options.headers },
    timeoutMillis: exportTimeoutMs,
  });
  const provider = new SdkTracerProvider({
    resource: resourceFromAttributes({
      ...options.attributes,
      'service.name': options.serviceName,
      'service.version': options.release,
      'service.instance.id': randomUUID(),
      'host.name': hostname(),
    }),
    // Where a trace begins, the share decides; whatever follows in it, in whatever process, does the same.
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.ratio ?? 1) }),
    spanLimits: { attributeValueLengthLimit: 256, attributeCountLimit: 32, linkCountLimit: 128, eventCountLimit: 0 },
    spanProcessors: [
      new BatchSpanProcessor({ exporter: telling(exporter, options.log), exportTimeoutMillis: exportTimeoutMs }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(onlyOurs(provider));
  return async () => {
    trace.disable();
    context.disable();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeTimeoutMs);
    });
    // A receiver that is away was reported already, and its absence must not keep the process from ending.
    await Promise.race([provider.shutdown().catch(() => {}), late]);
    clearTimeout(timer);
  };
}

/**
 * Libraries make spans too, as soon as anyone does: Better Auth's hold the messages
 * of errors, and with them the parameters of a failed statement. Theirs stay unmade.
 */
function onlyOurs(provider: SdkTracerProvider): TracerProvider {
  const none = new ProxyTracerProvider();
  return {
    getTracer: (name, version, options) => (name === tracerName ? provider : none).getTracer(name, version, options),
  };
}

/** Says that spans are lost when they are, at most once a minute. Work goes on: traces are never worth a request. */
function telling(exporter: OTLPTraceExporter, log: Log): SpanExporter {
  let lost = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.error) {
          lost += spans.length;
          if (performance.now() - toldAt > warnEveryMs) {
            log.warn({ lost, error: result.error }, 'traces cannot be delivered to OTEL_EXPORTER_OTLP_ENDPOINT');
            toldAt = performance.now();
            lost = 0;
          }
        }
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}
