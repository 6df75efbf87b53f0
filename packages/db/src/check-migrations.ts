import type { Database } from './client.ts';
import type { Migration } from './migrate.ts';

export interface MigrationState {
  /** In this build, not in the database, as `module/name`. */
  missing: string[];
  /** In the database, and newer than anything this build knows of that module. */
  ahead: string[];
}

/** Compares the build's migrations with the database's. Replicas call it; only `migrate` changes anything. */
export async function checkMigrations(
  db: Database,
  migrations: readonly Pick<Migration, 'module' | 'name'>[],
): Promise<MigrationState> {
  const applied = await appliedMigrations(db);
  const known = new Set(migrations.map(idOf));
  const modules = new Set(migrations.map((migration) => migration.module));
  return {
    missing: [...known].filter((id) => !applied.has(id)),
    // A module that is off keeps its tables: its migrations are not "ahead".
    ahead: [...applied].filter((id) => !known.has(id) && modules.has(id.slice(0, id.indexOf('/')))),
  };
}

async function appliedMigrations(db: Database): Promise<Set<string>> {
  const [ledger] = await db.sql<{ found: boolean }[]>`select to_regclass('ballast.migration') is not null as found`;
  if (!ledger?.found) return new Set();
  const rows = await db.sql<{ module: string; name: string }[]>`select module, name from ballast.migration`;
  return new Set(rows.map(idOf));
}

function idOf(migration: Pick<Migration, 'module' | 'name'>): string {
  return `${migration.module}/${migration.name}`;
}
