import { z } from 'zod';
import { type AccountAction, authOf, callerHeaders } from '../auth/account-action.ts';
import { known, refusalCode } from '../auth/failures.ts';
import type { Auth } from '../auth/open-auth.ts';
import { findSignUpAttempt } from '../auth/sign-up-attempt.ts';
import { tellOwner } from '../auth/tell-owner.ts';
import { errors } from '../errors.ts';
import { email, password } from '../fields.ts';
import { type Profile, profileOf } from '../view.ts';

export const SignIn = z.strictObject({ email, password });

type Credentials = z.output<typeof SignIn>;

/** Begins a session. An address without an account costs the same hashes and gets the same answer as a wrong password. */
export async function signIn({
  ctx,
  headers,
  input,
}: AccountAction<Credentials>): Promise<{ user: Profile; cookies: string[] }> {
  const auth = authOf(ctx);
  const body = SignIn.parse(input);
  const call = auth.api
    .signInEmail({ body, headers: callerHeaders(headers, ctx), returnHeaders: true })
    .catch(async (refusal) => {
      throw await asAfterSignUp(auth, body, refusal);
    });
  const result = await known(call);
  return { user: profileOf(result.response.user), cookies: result.headers.getSetCookie() };
}

/** A refusal, as it would be if the sign-up with this address had made a new account. */
async function asAfterSignUp(auth: Auth, { email, password }: Credentials, refusal: unknown): Promise<unknown> {
  const code = refusalCode(refusal);
  if (code !== 'INVALID_EMAIL_OR_PASSWORD' && code !== 'EMAIL_NOT_VERIFIED') return refusal;
  const attempt = await findSignUpAttempt(auth.options.database, email, password);
  if (!attempt) return refusal;
  // biome-ignore lint/plugin/actions-audit: asks for a mail to the owner, and changes nothing of theirs
  await auth.transaction((tx) => tellOwner(tx, attempt.userId));
  return errors.email_not_verified({ internal: 'a sign-up for a confirmed account' });
}
