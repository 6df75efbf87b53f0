/**
 * A database of the suite's own on a real Postgres, cloned from a migrated template
 * in some 50 ms. Suites never share rows, so they run side by side.
 *
 * @example
 * const database = await createTestDatabase();
 * const db = openDatabase({ url: database.appUrl, applicationName: 'suite' });
 * afterAll(async () => { await db.close(); await database.drop(); });
 */
import { randomBytes } from 'node:crypto';
import { roles } from '@ballast/db/roles';
import postgres from 'postgres';

export interface TestDatabase {
  name: string;
  /** The superuser, in this database. */
  adminUrl: string;
  ownerUrl: string;
  appUrl: string;
  dispatcherUrl: string;
  backupUrl: string;
  /** Ends every session and removes the database. */
  drop(): Promise<void>;
}

/** One password for all of the tests' roles: they only exist on a server that lives as long as the run. */
export const testPassword = 'test-only';

/** Clones the run's template. `empty` gives a database without any table; `on` clones the template of a server of the suite's own. */
export async function createTestDatabase(
  options: { empty?: boolean; on?: { server: string; template: string } } = {},
): Promise<TestDatabase> {
  const { server, template } = options.on ?? {
    server: process.env.BALLAST_TEST_POSTGRES,
    template: process.env.BALLAST_TEST_TEMPLATE,
  };
  if (!server || !template) {
    throw new Error('Run the tests through vitest: its global setup (@ballast/test-kit/global-setup) starts Postgres.');
  }
  const name = `suite_${randomBytes(6).toString('hex')}`;
  await onServer(server, async (admin) => {
    await admin.unsafe(
      `create database ${name} owner ${roles.owner} template ${options.empty ? 'template0' : template} strategy file_copy`,
    );
  });
  return {
    name,
    adminUrl: databaseUrl(server, name),
    ownerUrl: databaseUrl(server, name, roles.owner),
    appUrl: databaseUrl(server, name, roles.app),
    dispatcherUrl: databaseUrl(server, name, roles.dispatcher),
    backupUrl: databaseUrl(server, name, roles.backup),
    drop: () => onServer(server, (admin) => dropDatabase(admin, name)),
  };
}

/** It waits five seconds for the sessions that it ends. On a busy machine a crowd takes longer. */
async function dropDatabase(admin: postgres.Sql, name: string): Promise<void> {
  const objectInUse = '55006';
  for (let tries = 1; ; tries++) {
    try {
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      return;
    } catch (error) {
      if ((error as postgres.PostgresError).code !== objectInUse || tries === 10) throw error;
    }
  }
}

/** The server's URL for another database, as another role. */
export function databaseUrl(server: string, database: string, role?: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  if (role) {
    url.username = role;
    url.password = testPassword;
  }
  return url.href;
}

/** Runs `work` on one connection as the superuser. */
export async function onServer<Result>(url: string, work: (admin: postgres.Sql) => Promise<Result>): Promise<Result> {
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(admin);
  } finally {
    await admin.end({ timeout: 5 });
  }
}
