import type { Database } from './client.ts';

/**
 * Names what keeps this server from flushing commits to disk. Ballast's promise
 * begins at "committed", so api and worker refuse to boot while the list is not empty.
 * `synchronous_commit = local` flushes here, and is durable: it only waits for no standby.
 */
export async function durabilityProblems(db: Database): Promise<string[]> {
  const rows = await db.sql<{ name: string; setting: string }[]>`
    select name, setting from pg_settings
    where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'`;
  return rows.map(
    (row) => `Postgres runs with ${row.name} = ${row.setting}: a crash loses committed work. Set it to on.`,
  );
}
