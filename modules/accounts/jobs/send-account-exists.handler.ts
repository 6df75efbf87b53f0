import { cancel } from '@ballast/kernel';
import { mailFromJob } from '@ballast/mail';
import { defineHandler } from '../../context.ts';
import { authOf } from '../auth/account-action.ts';
import { mintResetLink } from '../auth/mint-reset-link.ts';
import * as accountExists from '../emails/account-exists.tsx';
import * as finishAccount from '../emails/finish-account.tsx';
import { sendAccountExists } from './send-account-exists.job.ts';

export const handler = defineHandler(sendAccountExists, async ({ payload, ctx, services }) => {
  const person = await (await authOf({ services }).store).findUserById(payload.userId);
  if (!person) return cancel('the account is gone');
  if (person.emailVerified) {
    const mail = accountExists.AccountExists({ link: `${services.publicUrl}/sign-in` });
    await mailFromJob({ ctx, services }, { to: person.email, subject: accountExists.subject, body: mail });
  } else {
    const mail = finishAccount.FinishAccount(await mintResetLink(services, person.id));
    await mailFromJob({ ctx, services }, { to: person.email, subject: finishAccount.subject, body: mail });
  }
});
