import { migrate, readMigrations } from '@ballast/db/migrate';
import { migrateTransport } from '@ballast/jobs/transport';
import { AppError } from '@ballast/kernel';
import { createLogger } from '@ballast/observability/logger';
import { loadConfig } from './config.ts';
import { databaseFault } from './http/database-fault.ts';
import { migrationSources } from './migration-sources.ts';
import { prepareServer } from './prepare-server.ts';
import { release } from './release.ts';

try {
  const { values } = loadConfig('migrate');
  const log = createLogger({ level: values.LOG_LEVEL, base: { service: 'migrate', version: release } });
  if (values.DATABASE_ADMIN_URL !== undefined) await prepareServer(values.DATABASE_ADMIN_URL);
  const applied = await migrate(values.DATABASE_OWNER_URL, await readMigrations(migrationSources()), {
    onWait: () => log.info({}, 'another process migrates; waiting for it'),
  });
  if (values.REDIS_QUEUE_URL === undefined) await migrateTransport(values.DATABASE_OWNER_URL);
  log.info({ applied }, applied.length === 0 ? 'nothing to migrate' : 'migrated');
} catch (error) {
  console.error(sentenceOf(error));
  process.exitCode = 1;
}

/** Postgres that is not there is the likeliest failure, and deserves words. */
function sentenceOf(error: unknown): unknown {
  if (error instanceof AppError) return error.public;
  const { code, address, port } = error as { code?: string; address?: string; port?: number };
  if (!code || !databaseFault(error)) return error;
  return `Postgres cannot be reached at ${address}:${port} (${code}). Start it, or correct its address.`;
}
