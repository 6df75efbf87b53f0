import { z } from 'zod';
import { type AccountAction, authOf, callerHeaders } from '../auth/account-action.ts';
import { isDuplicate, known } from '../auth/failures.ts';
import { hashAhead } from '../auth/hash-ahead.ts';
import { email, name, newPassword } from '../fields.ts';

export const SignUp = z.strictObject({ name, email, password: newPassword });

/**
 * Creates an account that waits for its confirmation. The outcome is the same for an
 * address that has one: the password is hashed all the same, and its owner gets a mail.
 */
export async function signUp({ ctx, headers, input }: AccountAction<z.output<typeof SignUp>>): Promise<void> {
  const { api } = authOf(ctx);
  const body = SignUp.parse(input);
  const attempt = () => api.signUpEmail({ body, headers: callerHeaders(headers, ctx) });
  // Of several sign-ups of one new address at once, all but one fail at the unique index. Repeated, they find the account.
  const twice = () =>
    attempt().catch((error) => {
      if (isDuplicate(error)) return attempt();
      throw error;
    });
  await known(hashAhead(body.password, twice));
}
