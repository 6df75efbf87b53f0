import type { Services } from '@ballast/http';
import { authOf } from './account-action.ts';
import { linkTokens } from './link-tokens.ts';

/**
 * A link that sets a new password, made for the mail that is about to leave. The
 * database keeps only its token's hash. Each repeat of the job makes another, and
 * all work: which of the mails arrived is not known.
 */
export async function mintResetLink(services: Services, userId: string): Promise<{ link: string; minutes: number }> {
  const auth = authOf({ services });
  const { secret, resetMinutes: minutes } = auth.options;
  const expiresAt = new Date(Date.now() + minutes * 60_000);
  const token = await linkTokens.reset(secret, userId, expiresAt);
  const store = await auth.store;
  await store.createVerificationValue({ value: userId, identifier: `reset-password:${token}`, expiresAt });
  return { link: `${services.publicUrl}/reset?token=${token}`, minutes };
}
