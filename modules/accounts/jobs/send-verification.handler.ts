import { cancel } from '@ballast/kernel';
import { mailFromJob } from '@ballast/mail';
import { defineHandler } from '../../context.ts';
import { authOf } from '../auth/account-action.ts';
import { addressDigest } from '../auth/address-digest.ts';
import { linkTokens } from '../auth/link-tokens.ts';
import { subject, Verification } from '../emails/verification.tsx';
import { sendVerification } from './send-verification.job.ts';

export const handler = defineHandler(sendVerification, async ({ payload, ctx, services }) => {
  const auth = authOf({ services });
  const person = await (await auth.store).findUserById(payload.userId);
  if (!person) return cancel('the account is gone');
  if (person.emailVerified) return cancel('the address is confirmed already');
  if (addressDigest(person) !== payload.addressDigest) return cancel('the account has another address');
  const hours = auth.options.verificationHours;
  const token = await linkTokens.confirmAddress(auth.options.secret, person, hours);
  const link = `${services.publicUrl}/verify?token=${token}`;
  await mailFromJob({ ctx, services }, { to: person.email, subject, body: Verification({ link, hours }) });
});
