import { basename, join, resolve } from 'node:path';
import type { MigrationSource } from '@ballast/db/migrate';
import { migratedModules } from './generated/migrations.ts';

/** Where each room's SQL lies: beside the code in a build, in the rooms themselves in the source tree. */
export function migrationSources(here: string = import.meta.dirname): MigrationSource[] {
  const built = basename(here) === 'dist';
  const root = resolve(here, '../../..');
  return [...packages, ...migratedModules].map((module) => {
    if (built) return { module, directory: join(here, 'migrations', module) };
    return { module, directory: join(root, packages.includes(module) ? 'packages' : 'modules', module, 'migrations') };
  });
}

const packages = ['db', 'jobs'];
