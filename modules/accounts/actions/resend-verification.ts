import { z } from 'zod';
import { type AccountAction, authOf, strangerHeaders } from '../auth/account-action.ts';
import { known } from '../auth/failures.ts';
import { email } from '../fields.ts';

export const ResendVerification = z.strictObject({ email });

/** Sends the confirmation again, if the address waits for one. Better Auth answers no sooner than after half a second. */
export async function resendVerification({
  ctx,
  headers,
  input,
}: AccountAction<z.output<typeof ResendVerification>>): Promise<void> {
  const { api } = authOf(ctx);
  const body = ResendVerification.parse(input);
  await known(api.sendVerificationEmail({ body, headers: strangerHeaders(headers, ctx) }));
}
