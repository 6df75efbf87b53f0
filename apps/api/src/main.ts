import { setTimeout as wait } from 'node:timers/promises';
import { createLogger } from '@ballast/observability/logger';
import { redisMetrics } from '@ballast/observability/metrics-connections';
import { requestMetrics } from '@ballast/observability/metrics-http';
import appDefinition from '../../../app.config.ts';
import { refuseStaleSnapshot } from './active-set.ts';
import { createApp } from './app.ts';
import { loadConfig } from './config.ts';
import { openContext } from './context.ts';
import { expectedMigrations } from './expected-migrations.ts';
import { modules } from './generated/config.ts';
import { internal } from './generated/internal.ts';
import { jobs } from './generated/jobs.ts';
import snapshot from './generated/routes.snapshot.json' with { type: 'json' };
import { routes } from './generated/routes.ts';
import { schedules } from './generated/schedules.ts';
import { createHealth } from './http/health.ts';
import { createInternalApp } from './http/internal-app.ts';
import { listen } from './http/listen.ts';
import { poolerOf, refuseUnsafePooler, waysToPostgres } from './pooler.ts';
import { openProcessMetrics } from './process-metrics.ts';
import { openProcessTracing } from './process-tracing.ts';
import { release } from './release.ts';
import { runProcess } from './run-process.ts';
import { refuseLossyPostgres, refuseLossyQueue, startJobs } from './start-jobs.ts';

await runProcess(async () => {
  refuseStaleSnapshot(appDefinition, snapshot);
  const config = loadConfig('api', { modules, jobs });
  const { values } = config;
  const log = createLogger({ level: values.LOG_LEVEL, base: { service: 'api', version: release } });
  for (const warning of config.warnings) log.warn({}, warning);
  const tracing = await openProcessTracing(config, log);
  const [context, releaseContext] = openContext(config, log);
  const { url: databaseUrl, pooled = false } = waysToPostgres(values.DATABASE_URL, poolerOf(config)).app;
  const health = createHealth({
    databaseUrl,
    pooled,
    migrations: await expectedMigrations(),
    applicationName: 'ballast-api-health',
    log,
  });
  const [{ metrics, observe }, closeMetrics] = openProcessMetrics(config, snapshot.modules);
  const app = createApp(
    {
      ...context,
      publicUrl: values.PUBLIC_URL,
      trustedProxyHops: values.TRUSTED_PROXY_HOPS,
      requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
      bodyLimitBytes: values.BODY_LIMIT_BYTES,
      release,
      modules: snapshot.modules,
      health,
      answered: requestMetrics(metrics),
      tracing: tracing.on ? { trusted: values.TRUSTED_TRACEPARENT } : undefined,
    },
    routes,
  );
  const server = await listen(app, { host: values.API_HOST, port: values.API_PORT, portSetting: 'API_PORT' });
  log.info({ host: server.host, port: server.port }, 'api listens');
  const inside =
    values.METRICS_PORT === undefined
      ? null
      : await listen(createInternalApp({ health, release, log, metrics, edge: context.edge }, internal), {
          host: values.METRICS_HOST,
          port: values.METRICS_PORT,
          portSetting: 'METRICS_PORT',
        });
  const consumer = values.DISABLE_BACKGROUND_WORKERS
    ? null
    : startJobs(config, { services: context.services, jobs, schedules, log, observe });
  redisMetrics(metrics, {
    cache: () => context.services.limiter.connected(),
    queue: () => consumer?.queueConnected() ?? null,
  });
  const { SHUTDOWN_GRACE_MS: graceMs, SHUTDOWN_DELAY_MS: delayMs } = values;
  const stopping = new AbortController();

  return {
    log,
    graceMs: delayMs + graceMs,
    vital: Promise.all([
      refuseLossyPostgres(context.db, log, stopping.signal),
      refuseUnsafePooler(context.pooled, values.REQUEST_TIMEOUT_MS, log, stopping.signal),
      // Without jobs of its own too it is given both Redis. It serves while they are away, and is told when they answer.
      consumer?.admitted ?? refuseLossyQueue(config, log, stopping.signal),
    ]),
    async release() {
      stopping.abort();
      health.startDraining();
      // Whoever asks /readyz looks elsewhere from now on; until they do, what they send is answered.
      const served = wait(delayMs).then(() => server.drain(graceMs));
      const [cut] = await Promise.all([served, consumer?.close({ graceMs })]);
      if (cut > 0) log.warn({ cut }, 'requests were cut at the end of the grace');
      await inside?.drain(1_000);
      await Promise.all([health.close(), closeMetrics(), tracing.close(), releaseContext()]);
    },
  };
});
