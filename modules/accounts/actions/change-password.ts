import { z } from 'zod';
import { type AccountAction, authOf, callerHeaders, personOf } from '../auth/account-action.ts';
import { auditPerson } from '../auth/audit-person.ts';
import { known } from '../auth/failures.ts';
import { hashAhead } from '../auth/hash-ahead.ts';
import { dropOutstanding } from '../auth/pending-change.ts';
import { newPassword, password } from '../fields.ts';

export const ChangePassword = z.strictObject({ currentPassword: password, newPassword });

/** Sets a new password, ends all other sessions and every outstanding link, and gives this browser a fresh session. */
export async function changePassword({
  ctx,
  headers,
  input,
}: AccountAction<z.output<typeof ChangePassword>>): Promise<{ cookies: string[] }> {
  const auth = authOf(ctx);
  const passwords = ChangePassword.parse(input);
  const caller = callerHeaders(headers, ctx);
  const change = async () => {
    await auth.api.verifyPassword({ body: { password: passwords.currentPassword }, headers: caller });
    return auth.transaction(async (tx) => {
      const result = await auth.api.changePassword({
        body: { ...passwords, revokeOtherSessions: true },
        headers: caller,
        returnHeaders: true,
      });
      await dropOutstanding(tx, personOf(ctx));
      await auditPerson(tx, personOf(ctx), 'accounts.password.change');
      return { cookies: result.headers.getSetCookie() };
    });
  };
  return known(hashAhead(passwords.newPassword, change));
}
