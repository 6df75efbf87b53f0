import { type AccountAction, authOf, strangerHeaders } from '../auth/account-action.ts';
import { known } from '../auth/failures.ts';

/** Sends the confirmation again, if the address waits for one. Better Auth answers no sooner than after half a second. */
export async function resendVerification({ ctx, headers, input }: AccountAction<{ email: string }>): Promise<void> {
  await known(authOf(ctx).api.sendVerificationEmail({ body: input, headers: strangerHeaders(headers, ctx) }));
}
