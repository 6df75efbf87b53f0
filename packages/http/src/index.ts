/**
 * What a module's `routes.ts` is written with: the request's context, who may come
 * in and how often, validated input, and errors as problem documents.
 *
 * @example
 * export const routes = new Hono<Env>().post(
 *   '/requests',
 *   endpoint({ summary: 'Ask for help', access: 'session', responses: { 201: { description: 'Sent.', schema: Sent } } }),
 *   validate('json', Ask),
 *   async (c) => c.json(await createRequest({ ctx: c.var.ctx, input: c.req.valid('json') }), 201),
 * );
 */

export type { Access, EndpointMeta, RateLimit } from './access.ts';
export { addressGroup } from './address-group.ts';
export type { Caller, Edge, Env, Identity, Membership, RequestContext, Services } from './context.ts';
export { type EndpointOptions, endpoint, endpointMeta } from './endpoint.ts';
export { limitHeaders } from './limit-headers.ts';
export { limitUse } from './limit-use.ts';
export { type Problem, problemContent, problemOf, problemResponse, problemSchema } from './problem.ts';
export { setHeader } from './set-header.ts';
export { validate } from './validate.ts';
