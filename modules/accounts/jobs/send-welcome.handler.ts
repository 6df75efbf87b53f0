import type { Tx } from '@ballast/db';
import type { Services } from '@ballast/http';
import { cancel, defineHandler } from '@ballast/kernel';
import { authOf } from '../auth/account-action.ts';
import { sendTemplate } from '../emails/send-template.ts';
import { subject, Welcome } from '../emails/welcome.tsx';
import { sendWelcome } from './send-welcome.job.ts';

export const handler = defineHandler<{ userId: string }, Tx, Services>(
  sendWelcome,
  async ({ payload, ctx, services }) => {
    const person = await (await authOf({ services }).store).findUserById(payload.userId);
    if (!person) return cancel('the account is gone');
    const link = `${services.publicUrl}/dashboard`;
    await sendTemplate({ ctx, services }, person.email, subject, Welcome({ name: person.name, link }));
  },
);
