import type { Tx } from '@ballast/db';
import type { Services } from '@ballast/http';
import { cancel, defineHandler } from '@ballast/kernel';
import { messageIdOf, renderMail } from '@ballast/mail';
import { eq } from 'drizzle-orm';
import { markDelivered } from '../actions/mark-delivered.ts';
import { config } from '../config.ts';
import { SupportRequest } from '../emails/support-request.tsx';
import { request } from '../schema.ts';
import { sendRequest } from './send-request.job.ts';

export const handler = defineHandler<{ requestId: string }, Tx, Services>(
  sendRequest,
  async ({ payload: { requestId }, ctx, services }) => {
    const asked = await ctx.read(async (tx) => {
      const [row] = await tx.select().from(request).where(eq(request.id, requestId));
      return row ? { subject: row.subject, body: row.body, name: row.authorName, email: row.authorEmail } : null;
    });
    if (!asked) return cancel('the request does not exist in this organisation');

    const { html, text } = await renderMail(SupportRequest({ ...asked, requestId }));
    await services.mail.send({
      messageId: messageIdOf(ctx.jobId, new URL(services.publicUrl).hostname),
      to: services.settings(config).SUPPORT_EMAIL,
      replyTo: asked.email,
      subject: `Support: ${asked.subject}`,
      html,
      text,
      signal: ctx.signal,
    });
    await markDelivered({ ctx, input: { requestId } });
  },
);
