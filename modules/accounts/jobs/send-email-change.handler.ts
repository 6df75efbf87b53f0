import { cancel } from '@ballast/kernel';
import { mailFromJob } from '@ballast/mail';
import { defineHandler } from '../../context.ts';
import { authOf } from '../auth/account-action.ts';
import { linkTokens } from '../auth/link-tokens.ts';
import { findPendingChange } from '../auth/pending-change.ts';
import { EmailChange, subject } from '../emails/email-change.tsx';
import { sendEmailChange } from './send-email-change.job.ts';

export const handler = defineHandler(sendEmailChange, async ({ payload, ctx, services }) => {
  const auth = authOf({ services });
  const person = await (await auth.store).findUserById(payload.userId);
  if (!person) return cancel('the account is gone');
  const pending = await auth.transaction((tx) => findPendingChange(tx, person.id));
  if (!pending) return cancel('the change was dropped, made or is too old');
  // The link ends with the change that it confirms, however late the mail is.
  const seconds = Math.floor((pending.expiresAt.getTime() - Date.now()) / 1000);
  const token = await linkTokens.changeAddress(auth.options.secret, person, pending.newEmail, seconds);
  const link = `${services.publicUrl}/verify?token=${token}`;
  const mail = EmailChange({ link, hours: Math.floor(seconds / 3600) });
  await mailFromJob({ ctx, services }, { to: pending.newEmail, subject, body: mail });
});
