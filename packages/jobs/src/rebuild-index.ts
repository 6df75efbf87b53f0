import type { Database } from '@ballast/db';
import type { Log } from '@ballast/kernel';

/**
 * Gives back what an index of the line kept of a backlog that is gone: one index a call, when it is large and its
 * table small again, and nobody's transaction is in the way (packages/jobs/migrations/0010_rebuild.sql).
 *
 * @param db as the dispatcher's role.
 */
export async function rebuildIndex(db: Database, log: Log): Promise<void> {
  const [row] = await db.sql<{ name: string | null }[]>`select jobs.rebuild_index() as name`;
  if (row?.name) log.info({ index: row.name }, 'index was built anew: it had kept the size of a backlog');
}
