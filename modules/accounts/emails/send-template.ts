import type { Services } from '@ballast/http';
import type { JobContext } from '@ballast/kernel';
import { messageIdOf, renderMail } from '@ballast/mail';
import type { ReactElement } from 'react';

/** Renders and sends; the Message-ID is the job's, so that a repeat is known as one. */
export async function sendTemplate(
  { ctx, services }: { ctx: JobContext<unknown>; services: Services },
  to: string,
  subject: string,
  body: ReactElement,
): Promise<void> {
  const { html, text } = await renderMail(body);
  const messageId = messageIdOf(ctx.jobId, new URL(services.publicUrl).hostname);
  await services.mail.send({ messageId, to, subject, html, text, signal: ctx.signal });
}
