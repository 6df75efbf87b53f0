import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import type { Action } from '../../context.ts';
import { errors } from '../errors.ts';
import { request } from '../schema.ts';
import { type RequestView, viewOf } from '../view.ts';

export const GetRequest = z.strictObject({ id: z.uuid() });

/** Another organisation's request does not exist. */
export async function getRequest({ ctx, input }: Action<z.output<typeof GetRequest>>): Promise<RequestView> {
  const { tenantId: organizationId } = ctx;
  if (!organizationId) throw errors.no_organization();
  const { id } = GetRequest.parse(input);

  const [row] = await ctx.read((tx) =>
    tx
      .select()
      .from(request)
      .where(and(eq(request.organizationId, organizationId), eq(request.id, id))),
  );
  if (!row) throw errors.request_not_found();
  return viewOf(row);
}
