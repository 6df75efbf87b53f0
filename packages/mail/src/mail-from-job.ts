import type { JobContext } from '@ballast/kernel';
import type { ReactElement } from 'react';
import { messageIdOf } from './message-id.ts';
import type { Mail, Message } from './open-mail.ts';
import { renderMail } from './render.ts';

/**
 * Renders a job's mail and hands it over, under the job's Message-ID: a repeat is known as one.
 *
 * @example
 * await mailFromJob({ ctx, services }, { to: person.email, subject, body: Welcome({ name: person.name, link }) });
 */
export async function mailFromJob(
  {
    ctx,
    services,
  }: { ctx: Pick<JobContext<unknown>, 'jobId' | 'signal'>; services: { mail: Mail; publicUrl: string } },
  { body, ...envelope }: Pick<Message, 'to' | 'replyTo' | 'subject'> & { body: ReactElement },
): Promise<void> {
  const messageId = messageIdOf(ctx.jobId, new URL(services.publicUrl).hostname);
  await services.mail.send({ ...envelope, ...(await renderMail(body)), messageId, signal: ctx.signal });
}
