import type { MiddlewareHandler } from 'hono';
import { type DescribeRouteOptions, resolver, uniqueSymbol } from 'hono-openapi';
import type { z } from 'zod';
import type { Access, EndpointMeta, RateLimit } from './access.ts';
import { admit } from './admit.ts';
import type { Env } from './context.ts';
import { problemContent } from './problem.ts';

export interface EndpointOptions {
  /** A few words in the imperative; the title in the reference. */
  summary: string;
  description?: string;
  /** Defaults to the module's name. */
  tags?: readonly string[];
  /** Defaults to method and path in camel case. */
  operationId?: string;
  access: Access;
  rateLimit?: RateLimit | readonly RateLimit[];
  /** By status. From 400 on the body is a problem document and needs no schema. */
  responses: Record<number, { description: string; schema?: z.ZodType }>;
}

const metas = new WeakMap<object, EndpointMeta>();

/** What the `endpoint()` among a route's handlers declared, or null for any other handler. */
export function endpointMeta(handler: unknown): EndpointMeta | null {
  return typeof handler === 'function' ? (metas.get(handler) ?? null) : null;
}

/**
 * Describes a route for the OpenAPI document, admits or refuses its callers, and
 * sets `c.var.ctx`. A route without one is refused by the edge: nothing is public by omission.
 */
export function endpoint(options: EndpointOptions): MiddlewareHandler<Env> {
  const meta: EndpointMeta = { access: options.access, rateLimit: [options.rateLimit ?? []].flat() };
  refuseIdleLimits(options.summary, meta);
  const handler: MiddlewareHandler<Env> = async (c, next) => {
    c.set('ctx', await admit(c, meta));
    await next();
  };
  metas.set(handler, meta);
  return Object.assign(handler, { [uniqueSymbol]: { spec: specOf(options, meta) } });
}

/** Without a session only the body names an account. A limit that was never counted would look like one that holds. */
function refuseIdleLimits(summary: string, { access, rateLimit }: EndpointMeta): void {
  const idle = rateLimit.find((rule) => rule.by.includes('account') && !rule.accountField);
  if (access !== 'public' || !idle) return;
  throw new Error(
    `"${summary}" is public, and its limit ${idle.name} counts accounts: say which field of the body names one (accountField).`,
  );
}

function specOf(options: EndpointOptions, meta: EndpointMeta): DescribeRouteOptions {
  const spec = {
    summary: options.summary,
    ...(options.description ? { description: options.description } : {}),
    ...(options.tags ? { tags: [...options.tags] } : {}),
    ...(options.operationId ? { operationId: options.operationId } : {}),
    ...(meta.access === 'public' ? { security: [] } : {}),
    responses: { ...declared(options), ...implied(meta) },
    'x-access': meta.access,
    ...(meta.rateLimit.length > 0 ? { 'x-rate-limit': meta.rateLimit } : {}),
  };
  return spec as DescribeRouteOptions;
}

function declared(options: EndpointOptions): NonNullable<DescribeRouteOptions['responses']> {
  const entries = Object.entries(options.responses).map(([status, { description, schema }]) => {
    if (Number(status) >= 400) return [status, { description, content: problemContent }];
    return [
      status,
      { description, ...(schema ? { content: { 'application/json': { schema: resolver(schema) } } } : {}) },
    ];
  });
  return Object.fromEntries(entries);
}

/** The answers that come from the edge, so that no module repeats them. */
function implied(meta: EndpointMeta): NonNullable<DescribeRouteOptions['responses']> {
  const refer = (name: string) => ({ $ref: `#/components/responses/${name}` });
  return {
    ...(meta.access === 'public' ? {} : { 401: refer('SignInFirst'), 403: refer('NotAllowed') }),
    ...(meta.rateLimit.length > 0 ? { 429: refer('TooMany') } : {}),
    '4XX': refer('Refused'),
    '5XX': refer('Failed'),
  };
}
