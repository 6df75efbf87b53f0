import { sqlOf } from '@ballast/db';
import { z } from 'zod';
import type { RequestAction } from '../../context.ts';
import { authOf } from '../auth/account-action.ts';
import { mailEverySeconds } from '../auth/account-changes.ts';
import { answerAfter } from '../auth/answer-after.ts';
import { requestMail } from '../auth/request-mail.ts';
import { email } from '../fields.ts';
import { sendReset } from '../jobs/send-reset.job.ts';

export const RequestPasswordReset = z.strictObject({ email });

/**
 * Sends a link that sets a new password, if the address has an account. Not Better
 * Auth's own verb, which makes the token here: ours is made when the mail is sent.
 */
export async function requestPasswordReset({
  ctx,
  input,
}: RequestAction<z.output<typeof RequestPasswordReset>>): Promise<void> {
  const auth = authOf(ctx);
  const address = RequestPasswordReset.parse(input).email.toLowerCase();
  await answerAfter(400, () =>
    // biome-ignore lint/plugin/actions-audit: asks for a mail, by whomever; the line is written when its link is redeemed
    auth.transaction(async (tx) => {
      const [person] = await sqlOf(tx)<{ id: string }[]>`
        select id from accounts."user" where email = ${address}`;
      if (!person) return;
      // Sent later than the link would have lived, it would answer a question that nobody asks any more.
      const discardAfter = new Date(Date.now() + auth.options.resetMinutes * 60_000);
      await requestMail(tx, sendReset, { userId: person.id }, { everySeconds: mailEverySeconds.reset, discardAfter });
    }),
  );
}
