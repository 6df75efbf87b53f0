import { type AccountAction, authOf, callerHeaders } from '../auth/account-action.ts';
import { known } from '../auth/failures.ts';
import { type Profile, profileOf } from './profile.ts';

/** Begins a session. An address without an account costs the same hash and gets the same answer as a wrong password. */
export async function signIn({
  ctx,
  headers,
  input,
}: AccountAction<{ email: string; password: string }>): Promise<{ user: Profile; cookies: string[] }> {
  const call = authOf(ctx).api.signInEmail({ body: input, headers: callerHeaders(headers, ctx), returnHeaders: true });
  const result = await known(call);
  return { user: profileOf(result.response.user), cookies: result.headers.getSetCookie() };
}
