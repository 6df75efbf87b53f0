import { type AccountAction, authOf, callerHeaders } from '../auth/account-action.ts';
import { known } from '../auth/failures.ts';
import { dropOutstanding } from '../auth/pending-change.ts';

/** Sets a new password, ends all other sessions and every outstanding link, and gives this browser a fresh session. */
export async function changePassword({
  ctx,
  headers,
  input,
}: AccountAction<{ currentPassword: string; newPassword: string }>): Promise<{ cookies: string[] }> {
  const auth = authOf(ctx);
  const change = auth.transaction(async (tx) => {
    const result = await auth.api.changePassword({
      body: { ...input, revokeOtherSessions: true },
      headers: callerHeaders(headers, ctx),
      returnHeaders: true,
    });
    await dropOutstanding(tx, ctx.userId ?? '');
    return { cookies: result.headers.getSetCookie() };
  });
  return known(change);
}
