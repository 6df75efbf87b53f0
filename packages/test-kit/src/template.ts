import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type MigrationSource, migrate, readMigrations } from '@ballast/db/migrate';
import { prepareRoles, roles } from '@ballast/db/roles';
import { migrateTransport } from '@ballast/jobs/transport';
import { databaseUrl, onServer, testPassword } from './database.ts';

const root = resolve(import.meta.dirname, '../../..');

/** Creates the roles and a database with every migration of packages and modules, to be cloned. Returns its name. */
export async function createTemplate(server: string): Promise<string> {
  const name = 'ballast_template';
  await onServer(server, async (admin) => {
    await prepareRoles(admin, {
      owner: testPassword,
      app: testPassword,
      dispatcher: testPassword,
      backup: testPassword,
    });
    await admin.unsafe(`create database ${name} owner ${roles.owner} template template0`);
  });
  const ownerUrl = databaseUrl(server, name, roles.owner);
  await migrate(ownerUrl, await readMigrations(migrationSources()));
  await migrateTransport(ownerUrl);
  return name;
}

/** Where migrations lie in the source tree: the packages' first, then every module's, on or off. */
export function migrationSources(): MigrationSource[] {
  const modules = readdirSync(join(root, 'modules'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => entry.name)
    .sort();
  return [
    { module: 'db', directory: join(root, 'packages/db/migrations') },
    { module: 'jobs', directory: join(root, 'packages/jobs/migrations') },
    ...modules.map((module) => ({ module, directory: join(root, 'modules', module, 'migrations') })),
  ];
}
