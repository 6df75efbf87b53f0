import { type Database, type DatabaseOptions, openDatabase } from '@ballast/db';
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
 * A pool of a suite that is not about connecting. Whoever serves gives up a connection after two seconds; the machine of a
 * suite may stand still for as long, and its first statement would fail.
 */
export function openPatiently(options: Pick<DatabaseOptions, 'url'> & Partial<DatabaseOptions>): Database {
  return openDatabase({ applicationName: 'suite', connectTimeoutSeconds: 30, ...options });
}

/**
 * A database of the suite's own, with the pools of a worker.
 *
 * @param jobsConnections 1 where a session counts what itself has done.
 * @param table of the suite's own, for ballast_app to read and write.
 * @example
 * const { db, jobsDb, close } = await openTestPools({ table: 'effect (n integer)' });
 * afterAll(close);
 */
export async function openTestPools({
  jobsConnections,
  table,
}: {
  jobsConnections?: number;
  table?: string;
} = {}): Promise<TestPools> {
  const database = await createTestDatabase();
  if (table) {
    const owner = openPatiently({ url: database.ownerUrl, maxConnections: 1 });
    await owner.sql.unsafe(`create table ${table}; grant all on ${table.split(' ')[0]} to ballast_app`);
    await owner.close();
  }
  const db = openPatiently({ url: database.appUrl });
  const jobsDb = openPatiently({
    url: database.dispatcherUrl,
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
