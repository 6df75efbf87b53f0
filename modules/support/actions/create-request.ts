import { audit } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import { and, eq, gt, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { RequestAction } from '../../context.ts';
import { config } from '../config.ts';
import { errors } from '../errors.ts';
import { sendRequest } from '../jobs/send-request.job.ts';
import { request } from '../schema.ts';
import { type RequestView, viewOf } from '../view.ts';

export const CreateRequest = z.strictObject({
  subject: z
    .string()
    .trim()
    .min(1)
    .max(120)
    // It becomes a header of a mail.
    .regex(/^\P{Cc}*$/u, 'Use one line, without control characters.'),
  body: z
    .string()
    .trim()
    .min(1)
    .max(5000)
    // Postgres keeps no NUL in a text.
    .refine((text) => !text.includes('\0'), 'Remove the NUL character.'),
});

/** Keeps the request and the job that mails it, both or neither. */
export async function createRequest({
  ctx,
  input,
}: RequestAction<z.output<typeof CreateRequest>>): Promise<RequestView> {
  const { identity, tenantId: organizationId } = ctx;
  if (!identity || !organizationId) throw errors.no_organization();
  const { subject, body } = CreateRequest.parse(input);
  const { options } = ctx.settings(config);

  return ctx.transaction(async (tx) => {
    // Two requests at once would both find room for one, and a double click would send twice.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`support:${organizationId}`}, 0))`);
    const again = await tx.$count(request, sentAMomentAgo(identity.userId, subject, body));
    if (again > 0) throw errors.already_sent();
    const open = await tx.$count(request, and(eq(request.organizationId, organizationId), eq(request.state, 'open')));
    if (open >= options.maxOpenRequests) throw errors.too_many_open();

    const [row] = await tx
      .insert(request)
      .values({
        organizationId,
        userId: identity.userId,
        authorName: identity.name,
        authorEmail: identity.email,
        subject,
        body,
      })
      .returning();
    if (!row) throw new Error('The insert returned no row.');
    await enqueue(tx, sendRequest, { requestId: row.id });
    await audit(tx, { action: 'support.request.create', subject: row.id });
    return viewOf(row);
  });
}

/** The tenant's rows are all that the transaction sees. */
function sentAMomentAgo(userId: string, subject: string, body: string) {
  return and(
    eq(request.userId, userId),
    eq(request.subject, subject),
    eq(request.body, body),
    gt(request.createdAt, sql`now() - interval '1 minute'`),
  );
}
