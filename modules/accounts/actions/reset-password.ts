import { z } from 'zod';
import { type AccountAction, authOf, strangerHeaders } from '../auth/account-action.ts';
import { lockPerson } from '../auth/adapter.ts';
import { auditPerson } from '../auth/audit-person.ts';
import { known } from '../auth/failures.ts';
import { hashAhead } from '../auth/hash-ahead.ts';
import { linkTokens } from '../auth/link-tokens.ts';
import { dropOutstanding } from '../auth/pending-change.ts';
import { errors } from '../errors.ts';
import { newPassword, token } from '../fields.ts';

export const ResetPassword = z.strictObject({ token, password: newPassword });

/**
 * Redeems a reset link: sets the password, ends all sessions and every other
 * outstanding link. Whoever holds the link reads the mailbox, so it confirms the address too.
 */
export async function resetPassword({
  ctx,
  headers,
  input,
}: AccountAction<z.output<typeof ResetPassword>>): Promise<void> {
  const auth = authOf(ctx);
  const given = ResetPassword.parse(input);
  const { userId } = await linkTokens.readReset(auth.options, given.token);
  const redeem = () =>
    auth.transaction(async (tx) => {
      const person = await lockPerson(tx, userId);
      if (!person) throw errors.link_invalid({ internal: 'the account is gone' });
      await auth.api.resetPassword({
        body: { token: given.token, newPassword: given.password },
        headers: strangerHeaders(headers, ctx),
      });
      await dropOutstanding(tx, userId);
      await auditPerson(tx, userId, 'accounts.password.reset');
      if (!person.emailVerified) await (await auth.store).updateUser(userId, { emailVerified: true });
    });
  await known(hashAhead(given.password, redeem));
}
