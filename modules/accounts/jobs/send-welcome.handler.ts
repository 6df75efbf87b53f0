import { cancel } from '@ballast/kernel';
import { mailFromJob } from '@ballast/mail';
import { defineHandler } from '../../context.ts';
import { authOf } from '../auth/account-action.ts';
import { subject, Welcome } from '../emails/welcome.tsx';
import { sendWelcome } from './send-welcome.job.ts';

export const handler = defineHandler(sendWelcome, async ({ payload, ctx, services }) => {
  const person = await (await authOf({ services }).store).findUserById(payload.userId);
  if (!person) return cancel('the account is gone');
  const link = `${services.publicUrl}/dashboard`;
  await mailFromJob({ ctx, services }, { to: person.email, subject, body: Welcome({ name: person.name, link }) });
});
