import { type AccountAction, authOf, callerHeaders } from '../auth/account-action.ts';
import { known } from '../auth/failures.ts';

/** Ends all sessions of the person, this one included. */
export async function signOutEverywhere({
  ctx,
  headers,
}: Omit<AccountAction<never>, 'input'>): Promise<{ cookies: string[] }> {
  const call = authOf(ctx).api.revokeSessions({ headers: callerHeaders(headers, ctx), returnHeaders: true });
  return { cookies: (await known(call)).headers.getSetCookie() };
}
