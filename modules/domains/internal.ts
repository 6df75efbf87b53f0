import { type Env, endpoint, validate } from '@ballast/http';
import { Hono } from 'hono';
import { z } from 'zod';
import { MayServe, mayServe } from './actions/may-serve.ts';

/** Caddy's question at a handshake for a name that it has no certificate of (`on_demand_tls` in deploy/caddy/Caddyfile). */
export const internal = new Hono<Env>().get(
  '/ask',
  endpoint({
    summary: 'May this name have a certificate?',
    access: 'public',
    // Anyone can begin handshakes for names that they make up. Each costs one look into an index, and so many at most.
    rateLimit: { name: 'domains.ask', limit: 6000, windowSeconds: 60, by: ['address'] },
    responses: {
      200: { description: 'It was proved, or is the site’s own.', schema: z.object({ domain: z.string() }) },
      404: { description: '`domains.not_proved`: no certificate.' },
    },
  }),
  validate('query', MayServe),
  async (c) => {
    const { domain } = c.req.valid('query');
    await mayServe({ ctx: c.var.ctx, input: { domain } });
    return c.json({ domain }, 200);
  },
);
