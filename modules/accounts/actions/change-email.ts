import { sqlOf } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import { z } from 'zod';
import { type AccountAction, authOf, callerHeaders, personOf } from '../auth/account-action.ts';
import { lockPerson } from '../auth/adapter.ts';
import { recipientDigest } from '../auth/address-digest.ts';
import { answerAfter } from '../auth/answer-after.ts';
import { known } from '../auth/failures.ts';
import { keepPendingChange } from '../auth/pending-change.ts';
import { errors } from '../errors.ts';
import { email, password } from '../fields.ts';
import { sendEmailChange } from '../jobs/send-email-change.job.ts';

export const ChangeEmail = z.strictObject({ email, password });

/**
 * Asks the new address for a confirmation; until then nothing changes. An address
 * that has an account gets the same answer and no mail. The limit is the mailbox's, whoever
 * asks and whether or not it has an account: it may be a stranger's, who never heard of us.
 */
export async function changeEmail({ ctx, headers, input }: AccountAction<z.output<typeof ChangeEmail>>): Promise<void> {
  const auth = authOf(ctx);
  const given = ChangeEmail.parse(input);
  const newEmail = given.email.toLowerCase();
  await answerAfter(500, async () => {
    const caller = callerHeaders(headers, ctx);
    await known(auth.api.verifyPassword({ body: { password: given.password }, headers: caller }));
    const perMailbox = { name: 'accounts.change-email.mailbox', limit: 3, windowSeconds: 3600 };
    await ctx.limit(perMailbox, recipientDigest(newEmail));
    // biome-ignore lint/plugin/actions-audit: nothing changes yet; the line is written with the change (auth/account-changes.ts)
    await auth.transaction(async (tx) => {
      const person = await lockPerson(tx, personOf(ctx));
      if (!person) throw errors.session_not_found();
      if (person.email === newEmail) throw errors.email_unchanged();
      const [taken] = await sqlOf(tx)`select 1 from accounts."user" where email = ${newEmail}`;
      if (taken) return;
      const expiresAt = new Date(Date.now() + auth.options.verificationHours * 3_600_000);
      await keepPendingChange(tx, person.id, { newEmail, expiresAt });
      await enqueue(tx, sendEmailChange, { userId: person.id }, { key: person.id, discardAfter: expiresAt });
    });
  });
}
