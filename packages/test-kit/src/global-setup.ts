import { startPostgres } from './embedded-postgres.ts';
import { createTemplate } from './template.ts';

/**
 * Vitest's global setup: one Postgres for the run, unless `BALLAST_TEST_POSTGRES`
 * names one that the caller started, with a migrated template in it.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const given = process.env.BALLAST_TEST_POSTGRES;
  const server = given ? { adminUrl: given, stop: async () => {} } : await startPostgres();
  process.env.BALLAST_TEST_POSTGRES = server.adminUrl;
  process.env.BALLAST_TEST_TEMPLATE ??= await createTemplate(server.adminUrl);
  return () => server.stop();
}
