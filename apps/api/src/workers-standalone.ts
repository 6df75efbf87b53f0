import { createLogger } from '@ballast/observability/logger';
import { redisMetrics } from '@ballast/observability/metrics-connections';
import appDefinition from '../../../app.config.ts';
import { refuseStaleSnapshot } from './active-set.ts';
import { loadConfig } from './config.ts';
import { openContext } from './context.ts';
import { expectedMigrations } from './expected-migrations.ts';
import { modules } from './generated/config.ts';
import { jobs } from './generated/jobs.ts';
import snapshot from './generated/routes.snapshot.json' with { type: 'json' };
import { schedules } from './generated/schedules.ts';
import { createHealth } from './http/health.ts';
import { listen } from './http/listen.ts';
import { createProbeApp } from './http/probes.ts';
import { openProcessMetrics } from './process-metrics.ts';
import { openProcessTracing } from './process-tracing.ts';
import { release } from './release.ts';
import { runProcess } from './run-process.ts';
import { refuseLossyPostgres, startJobs } from './start-jobs.ts';

await runProcess(async () => {
  refuseStaleSnapshot(appDefinition, snapshot);
  const config = loadConfig('worker', { modules, jobs });
  const { values } = config;
  const log = createLogger({ level: values.LOG_LEVEL, base: { service: 'worker', version: release } });
  for (const warning of config.warnings) log.warn({}, warning);
  const tracing = await openProcessTracing(config, log);
  const [context, releaseContext] = openContext(config, log);
  const [{ metrics, observe }, closeMetrics] = openProcessMetrics(config, snapshot.modules);
  const consumer = startJobs(config, { services: context.services, jobs, schedules, log, observe });
  redisMetrics(metrics, { cache: () => context.services.limiter.connected(), queue: () => consumer.queueConnected() });
  const health = createHealth({
    databaseUrl: values.DATABASE_URL,
    migrations: await expectedMigrations(),
    applicationName: 'ballast-worker-health',
    started: consumer.started,
    log,
  });
  const server = await listen(createProbeApp(health, release, log, metrics), {
    host: values.WORKER_HOST,
    port: values.WORKER_PORT,
    portSetting: 'WORKER_PORT',
  });
  log.info({ host: server.host, port: server.port }, 'worker listens');
  const graceMs = values.SHUTDOWN_GRACE_MS;
  const stopping = new AbortController();

  return {
    log,
    graceMs,
    vital: Promise.all([refuseLossyPostgres(context.db, log, stopping.signal), consumer.admitted]),
    async release() {
      stopping.abort();
      health.startDraining();
      await consumer.close({ graceMs });
      await server.drain(1_000);
      await Promise.all([health.close(), closeMetrics(), tracing.close(), releaseContext()]);
    },
  };
});
