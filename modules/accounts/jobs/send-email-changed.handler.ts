import { mailFromJob } from '@ballast/mail';
import { defineHandler } from '../../context.ts';
import { EmailChanged, subject } from '../emails/email-changed.tsx';
import { sendEmailChanged } from './send-email-changed.job.ts';

/** Never cancelled: whoever changed the address could otherwise keep its owner from hearing of it. */
export const handler = defineHandler(sendEmailChanged, async ({ payload, ctx, services }) => {
  await mailFromJob(
    { ctx, services },
    { to: payload.oldEmail, subject, body: EmailChanged({ newEmail: payload.newEmail }) },
  );
});
