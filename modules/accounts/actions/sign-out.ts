import { type AccountRequest, authOf, callerHeaders } from '../auth/account-action.ts';
import { known } from '../auth/failures.ts';

/** Ends this browser's session, if there is one. */
export async function signOut({ ctx, headers }: AccountRequest): Promise<{ cookies: string[] }> {
  const call = authOf(ctx).api.signOut({ headers: callerHeaders(headers, ctx), returnHeaders: true });
  return { cookies: (await known(call)).headers.getSetCookie() };
}
