import type { Tx } from '@ballast/db';
import type { Services } from '@ballast/http';
import { cancel, defineHandler } from '@ballast/kernel';
import { authOf } from '../auth/account-action.ts';
import { mintResetLink } from '../auth/mint-reset-link.ts';
import { Reset, subject } from '../emails/reset.tsx';
import { sendTemplate } from '../emails/send-template.ts';
import { sendReset } from './send-reset.job.ts';

export const handler = defineHandler<{ userId: string }, Tx, Services>(
  sendReset,
  async ({ payload, ctx, services }) => {
    const person = await (await authOf({ services }).store).findUserById(payload.userId);
    if (!person) return cancel('the account is gone');
    await sendTemplate({ ctx, services }, person.email, subject, Reset(await mintResetLink(services, person.id)));
  },
);
