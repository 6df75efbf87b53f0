import type { Logger } from '@ballast/observability/logger';
import { openTracing, type Tracing } from '@ballast/observability/tracing';
import type { Config } from './config.ts';
import { release } from './release.ts';

/** Opens the traces of this process, when the configuration names a receiver. */
export function openProcessTracing(config: Config<'api'> | Config<'worker'>, log: Logger): Promise<Tracing> {
  const { values } = config;
  return openTracing({
    serviceName: `ballast-${config.process}`,
    release,
    exporterUrl: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: values.OTEL_EXPORTER_OTLP_HEADERS,
    attributes: values.OTEL_RESOURCE_ATTRIBUTES,
    ratio: values.OTEL_TRACES_SAMPLER_ARG,
    log: log.child({ component: 'tracing' }),
  });
}
