import { Hono } from 'hono';
import { hc } from 'hono/client';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { type Env, endpoint, validate } from './index.ts';

const Ask = z.strictObject({ subject: z.string(), page: z.coerce.number().default(1) });
const Answer = z.object({ id: z.string() });

const routes = new Hono<Env>()
  .post(
    '/requests/:id',
    endpoint({ summary: 'Ask', access: 'public', responses: { 201: { description: 'Sent.', schema: Answer } } }),
    validate('param', z.strictObject({ id: z.string() })),
    validate('json', Ask),
    (c) => c.json({ id: c.req.valid('param').id, page: c.req.valid('json').page }, 201),
  )
  .get(
    '/requests',
    endpoint({ summary: 'List', access: 'session', responses: { 200: { description: 'Yours.' } } }),
    validate('query', z.strictObject({ cursor: z.string().optional() })),
    (c) => c.json({ items: [{ id: c.req.valid('query').cursor ?? '' }] }, 200),
  );
const api = new Hono<Env>().route('/api/support', routes);

describe('the typed client', () => {
  const client = hc<typeof api>('http://localhost');

  it('knows what a route takes and answers', () => {
    const send = client.api.support.requests[':id'].$post;
    expectTypeOf<Parameters<typeof send>[0]['json']['subject']>().toEqualTypeOf<string>();
    expectTypeOf<Parameters<typeof send>[0]['param']>().toEqualTypeOf<{ id: string }>();
    expectTypeOf<Awaited<ReturnType<Awaited<ReturnType<typeof send>>['json']>>>().toEqualTypeOf<{
      id: string;
      page: number;
    }>();
  });

  it('knows queries, and that optional ones may be left out', () => {
    const list = client.api.support.requests.$get;
    expectTypeOf<Parameters<typeof list>[0]['query']>().toEqualTypeOf<{ cursor?: string | undefined }>();
  });

  it('refuses at compile time what the route does not take', () => {
    // @ts-expect-error `subjekt` is not a field
    void (() => client.api.support.requests[':id'].$post({ param: { id: '1' }, json: { subjekt: 'x' } }));
  });
});
