import { type Database, openDatabase } from '@ballast/db';
import { createTestDatabase, type TestDatabase } from './database.ts';

export interface TestPools {
  database: TestDatabase;
  /** As ballast_app. */
  db: Database;
  /** As ballast_dispatcher. */
  jobsDb: Database;
  close(): Promise<void>;
}

/**
 * A database of the suite's own, with the pools of a worker.
 *
 * @param jobsConnections 1 where a session counts what itself has done.
 * @example
 * const { db, jobsDb, close } = await openTestPools();
 * afterAll(close);
 */
export async function openTestPools({ jobsConnections }: { jobsConnections?: number } = {}): Promise<TestPools> {
  const database = await createTestDatabase();
  const applicationName = 'suite';
  const db = openDatabase({ url: database.appUrl, applicationName });
  const jobsDb = openDatabase({
    url: database.dispatcherUrl,
    applicationName,
    ...(jobsConnections === undefined ? {} : { maxConnections: jobsConnections }),
  });
  return {
    database,
    db,
    jobsDb,
    async close() {
      await Promise.all([db.close(), jobsDb.close()]);
      await database.drop();
    },
  };
}
