import { z } from 'zod';
import type { request } from './schema.ts';

/** A request as callers see it. */
export const RequestView = z
  .object({
    id: z.uuid(),
    subject: z.string(),
    body: z.string(),
    status: z.enum(['open', 'delivered']),
    createdAt: z.iso.datetime(),
    deliveredAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'SupportRequest' });

export type RequestView = z.output<typeof RequestView>;

export function viewOf(row: typeof request.$inferSelect): RequestView {
  return {
    id: row.id,
    subject: row.subject,
    body: row.body,
    status: row.state,
    createdAt: row.createdAt.toISOString(),
    deliveredAt: row.deliveredAt?.toISOString() ?? null,
  };
}
