import type { Tx } from '@ballast/db';
import type { Services } from '@ballast/http';
import { defineHandler } from '@ballast/kernel';
import { EmailChanged, subject } from '../emails/email-changed.tsx';
import { sendTemplate } from '../emails/send-template.ts';
import { sendEmailChanged } from './send-email-changed.job.ts';

/** Never cancelled: whoever changed the address could otherwise keep its owner from hearing of it. */
export const handler = defineHandler<{ userId: string; oldEmail: string; newEmail: string }, Tx, Services>(
  sendEmailChanged,
  async ({ payload, ctx, services }) => {
    await sendTemplate({ ctx, services }, payload.oldEmail, subject, EmailChanged({ newEmail: payload.newEmail }));
  },
);
