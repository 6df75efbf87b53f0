import { type Migration, readMigrations } from '@ballast/db/migrate';
import { AppError } from '@ballast/kernel';
import { migrationSources } from './migration-sources.ts';

/** The migrations that this build needs; an incomplete build is refused, since it would find nothing missing. */
export async function expectedMigrations(): Promise<Pick<Migration, 'module' | 'name'>[]> {
  const sources = migrationSources();
  const migrations = await readMigrations(sources);
  const empty = sources.filter(({ module }) => !migrations.some((migration) => migration.module === module));
  if (empty.length === 0) return migrations.map(({ module, name }) => ({ module, name }));
  throw new AppError('build.migrations_missing', {
    public: `This build has no SQL of ${empty.map(({ module }) => module).join(', ')}. Build it again: npm --prefix apps/api run build`,
    retryable: false,
  });
}
