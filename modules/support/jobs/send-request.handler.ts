import { cancel } from '@ballast/kernel';
import { mailFromJob } from '@ballast/mail';
import { eq } from 'drizzle-orm';
import { defineHandler } from '../../context.ts';
import { markDelivered } from '../actions/mark-delivered.ts';
import { config } from '../config.ts';
import { SupportRequest } from '../emails/support-request.tsx';
import { request } from '../schema.ts';
import { sendRequest } from './send-request.job.ts';

export const handler = defineHandler(sendRequest, async ({ payload: { requestId }, ctx, services }) => {
  const asked = await ctx.read(async (tx) => {
    const [row] = await tx.select().from(request).where(eq(request.id, requestId));
    return row ? { subject: row.subject, body: row.body, name: row.authorName, email: row.authorEmail } : null;
  });
  if (!asked) return cancel('the request does not exist in this organisation');

  await mailFromJob(
    { ctx, services },
    {
      to: services.settings(config).SUPPORT_EMAIL,
      replyTo: asked.email,
      subject: `Support: ${asked.subject}`,
      body: SupportRequest({ ...asked, requestId }),
    },
  );
  await markDelivered({ ctx, input: { requestId } });
});
