import { migrate, readMigrations } from '@ballast/db/migrate';
import { migrateTransport } from '@ballast/jobs/transport';
import { AppError } from '@ballast/kernel';
import { createLogger } from '@ballast/observability/logger';
import { loadConfig } from './config.ts';
import { migrationSources } from './migration-sources.ts';
import { release } from './release.ts';

try {
  const { values } = loadConfig('migrate');
  const log = createLogger({ level: values.LOG_LEVEL, base: { service: 'migrate', version: release } });
  const applied = await migrate(values.DATABASE_OWNER_URL, await readMigrations(migrationSources()));
  if (values.REDIS_QUEUE_URL === undefined) await migrateTransport(values.DATABASE_OWNER_URL);
  log.info({ applied }, applied.length === 0 ? 'nothing to migrate' : 'migrated');
} catch (error) {
  console.error(error instanceof AppError ? error.public : error);
  process.exitCode = 1;
}
