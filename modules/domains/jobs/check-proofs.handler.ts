import { sqlOf } from '@ballast/db';
import { defineHandler } from '../../context.ts';
import { type NoteLooks, noteLooks } from '../actions/note-looks.ts';
import { config } from '../config.ts';
import { type Claim, lookForProof } from '../dns/look-for-proof.ts';
import { checkProofs } from './check-proofs.job.ts';

/** With each lookup at its longest, and so many at once, a batch takes half of the job's time. */
const batch = 50;
const atOnce = 10;

export const handler = defineHandler(checkProofs, async ({ ctx, services }) => {
  const { DOMAINS_RESOLVERS: resolvers, options } = services.settings(config);
  const due = await ctx.read(async (tx) => [
    ...(await sqlOf(tx)<(Claim & { id: string })[]>`select id, name, token from domains.due(${batch})`),
  ]);
  const waiting = due.values();
  const looks: NoteLooks['looks'][number][] = [];
  const lane = async () => {
    for (const claim of waiting) {
      ctx.signal.throwIfAborted();
      looks.push({ id: claim.id, look: await lookForProof(claim, resolvers) });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  await noteLooks({ ctx, input: { looks, graceDays: options.graceDays, more: due.length === batch } });
});
