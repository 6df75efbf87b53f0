import { cancel } from '@ballast/kernel';
import { mailFromJob } from '@ballast/mail';
import { defineHandler } from '../../context.ts';
import { authOf } from '../auth/account-action.ts';
import { mintResetLink } from '../auth/mint-reset-link.ts';
import { Reset, subject } from '../emails/reset.tsx';
import { sendReset } from './send-reset.job.ts';

export const handler = defineHandler(sendReset, async ({ payload, ctx, services }) => {
  const person = await (await authOf({ services }).store).findUserById(payload.userId);
  if (!person) return cancel('the account is gone');
  await mailFromJob(
    { ctx, services },
    { to: person.email, subject, body: Reset(await mintResetLink(services, person.id)) },
  );
});
