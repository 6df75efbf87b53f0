import type { Tx } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import type { ActionContext } from '@ballast/kernel';
import { asIdentity } from '../auth/as-identity.ts';
import { removeExpiredSessions } from '../jobs/remove-expired-sessions.job.ts';

const batch = 500;

/**
 * Removes one batch of sessions that nobody can use any more, and adds the job of the
 * next. Each batch commits with its job's completion, so a repeat finds what is left.
 */
export async function removeSessions({ ctx }: { ctx: ActionContext<Tx> }): Promise<void> {
  const removed = await ctx.transaction(async (tx) => {
    const gone = await asIdentity(
      tx,
      // biome-ignore lint/plugin/actions-audit: it ran out by itself, nobody ended it
      (sql) => sql`
        delete from accounts.session where id in (
          select id from accounts.session where expires_at < now()
          order by expires_at limit ${batch} for update skip locked
        )`,
    );
    if (gone.count === batch) await enqueue(tx, removeExpiredSessions, {});
    return gone.count;
  });
  if (removed > 0) ctx.log.info({ removed }, 'expired sessions removed');
}
