import { type Env, endpoint, validate } from '@ballast/http';
import { Hono } from 'hono';
import { z } from 'zod';
import { CreateRequest, createRequest } from './actions/create-request.ts';
import { GetRequest, getRequest } from './actions/get-request.ts';
import { ListRequests, listRequests } from './actions/list-requests.ts';
import { RequestView } from './view.ts';

export const routes = new Hono<Env>()
  .post(
    '/requests',
    endpoint({
      summary: 'Ask for help',
      description: 'Keeps the request and mails it to the team. `status` turns `delivered` when their mailbox has it.',
      access: { permission: 'support:write' },
      rateLimit: { name: 'support.create', limit: 20, windowSeconds: 3600, by: ['account'] },
      responses: {
        201: { description: 'Kept; the mail is on its way.', schema: RequestView },
        409: {
          description:
            '`support.too_many_open`: too many still wait for their delivery. `support.already_sent`: the same, a moment ago.',
        },
      },
    }),
    validate('json', CreateRequest),
    async (c) => c.json(await createRequest({ ctx: c.var.ctx, input: c.req.valid('json') }), 201),
  )
  .get(
    '/requests',
    endpoint({
      summary: 'List requests',
      description: 'The newest first, a page at a time.',
      access: { permission: 'support:read' },
      responses: {
        200: {
          description: 'One page.',
          schema: z.object({ items: z.array(RequestView), nextCursor: z.uuid().nullable() }),
        },
      },
    }),
    validate('query', ListRequests),
    async (c) => c.json(await listRequests({ ctx: c.var.ctx, input: c.req.valid('query') }), 200),
  )
  .get(
    '/requests/:id',
    endpoint({
      summary: 'Read a request',
      access: { permission: 'support:read' },
      responses: {
        200: { description: 'The request.', schema: RequestView },
        404: { description: 'No such request in this organisation.' },
      },
    }),
    validate('param', GetRequest),
    async (c) => c.json(await getRequest({ ctx: c.var.ctx, input: c.req.valid('param') }), 200),
  );

export type Routes = typeof routes;
