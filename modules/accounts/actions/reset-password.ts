import { type AccountAction, authOf, strangerHeaders } from '../auth/account-action.ts';
import { lockPerson } from '../auth/adapter.ts';
import { auditPerson } from '../auth/audit-person.ts';
import { known } from '../auth/failures.ts';
import { hashAhead } from '../auth/hash-ahead.ts';
import { linkTokens } from '../auth/link-tokens.ts';
import { dropOutstanding } from '../auth/pending-change.ts';
import { errors } from '../errors.ts';

/**
 * Redeems a reset link: sets the password, ends all sessions and every other
 * outstanding link. Whoever holds the link reads the mailbox, so it confirms the address too.
 */
export async function resetPassword({
  ctx,
  headers,
  input,
}: AccountAction<{ token: string; password: string }>): Promise<void> {
  const auth = authOf(ctx);
  const { userId } = await linkTokens.readReset(auth.options, input.token);
  const redeem = () =>
    auth.transaction(async (tx) => {
      const person = await lockPerson(tx, userId);
      if (!person) throw errors.link_invalid({ internal: 'the account is gone' });
      await auth.api.resetPassword({
        body: { token: input.token, newPassword: input.password },
        headers: strangerHeaders(headers, ctx),
      });
      await dropOutstanding(tx, userId);
      await auditPerson(tx, userId, 'accounts.password.reset');
      if (!person.emailVerified) await (await auth.store).updateUser(userId, { emailVerified: true });
    });
  await known(hashAhead(input.password, redeem));
}
