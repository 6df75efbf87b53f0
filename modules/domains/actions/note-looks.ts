import { sqlOf } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import { z } from 'zod';
import type { Action } from '../../context.ts';
import type { Look } from '../dns/look-for-proof.ts';
import { checkProofs } from '../jobs/check-proofs.job.ts';

export const NoteLooks = z.strictObject({
  looks: z.array(z.strictObject({ id: z.uuid(), look: z.enum(['found', 'absent', 'unanswered']) })),
  graceDays: z.int().min(1),
  /** Whether others may be due. */
  more: z.boolean(),
});

export type NoteLooks = z.output<typeof NoteLooks>;

/** Keeps what a batch of looks brought, and adds the job of the next. Postgres writes the audit line of each lapse. */
export async function noteLooks({ ctx, input }: Action<NoteLooks>): Promise<void> {
  const { looks, graceDays, more } = NoteLooks.parse(input);
  const idsOf = (wanted: Look) => looks.filter(({ look }) => look === wanted).map(({ id }) => id);

  const lapsed = await ctx.transaction(async (tx) => {
    const [row] = await sqlOf(tx)<{ lapsed: number }[]>`
      select domains.note_looks(
        ${idsOf('found')}::uuid[], ${idsOf('absent')}::uuid[], ${idsOf('unanswered')}::uuid[],
        make_interval(days => ${graceDays})
      ) as lapsed`;
    if (more) await enqueue(tx, checkProofs, {});
    return row?.lapsed ?? 0;
  });
  const unanswered = idsOf('unanswered').length;
  if (lapsed + unanswered > 0)
    ctx.log.warn({ lapsed, unanswered, looked: looks.length }, 'proofs of domains looked at');
}
