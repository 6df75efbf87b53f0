import { type Env, endpoint, validate } from '@ballast/http';
import { Hono } from 'hono';
import { z } from 'zod';
import { AddDomain, addDomain } from './actions/add-domain.ts';
import { listDomains } from './actions/list-domains.ts';
import { ProveDomain, proveDomain } from './actions/prove-domain.ts';
import { RemoveDomain, removeDomain } from './actions/remove-domain.ts';
import { DomainView } from './view.ts';

const notFound = { description: 'No such domain in this organisation.' };

export const routes = new Hono<Env>()
  .get(
    '/',
    endpoint({
      summary: 'List domains',
      access: { permission: 'domains:read' },
      responses: {
        200: { description: 'All of the organisation.', schema: z.object({ items: z.array(DomainView) }) },
      },
    }),
    async (c) => c.json({ items: await listDomains({ ctx: c.var.ctx }) }, 200),
  )
  .post(
    '/',
    endpoint({
      summary: 'Add a domain',
      description: 'Keeps a claim. `records` says what to set at its name servers; then ask for the proof.',
      access: { permission: 'domains:write' },
      rateLimit: { name: 'domains.add', limit: 60, windowSeconds: 3600, by: ['account'] },
      responses: {
        201: { description: 'Kept, and not proved yet.', schema: DomainView },
        400: { description: '`domains.not_a_domain`, or `domains.own_host`: the name is that of the site.' },
        409: { description: '`domains.already_added`, or `domains.too_many`.' },
      },
    }),
    validate('json', AddDomain),
    async (c) => c.json(await addDomain({ ctx: c.var.ctx, input: c.req.valid('json') }), 201),
  )
  .post(
    '/:id/proof',
    endpoint({
      summary: 'Prove a domain',
      description: 'Looks for the TXT record. Once it was found, the domain is served, and looked at again every day.',
      access: { permission: 'domains:write' },
      rateLimit: { name: 'domains.prove', limit: 30, windowSeconds: 600, by: ['account'] },
      responses: {
        200: { description: 'Proved.', schema: DomainView },
        404: notFound,
        409: { description: '`domains.record_missing`, or `domains.proved_elsewhere`: by another organisation.' },
        503: { description: '`domains.lookup_failed`: the name servers did not answer.' },
      },
    }),
    validate('param', ProveDomain),
    async (c) => c.json(await proveDomain({ ctx: c.var.ctx, input: c.req.valid('param') }), 200),
  )
  .delete(
    '/:id',
    endpoint({
      summary: 'Remove a domain',
      access: { permission: 'domains:write' },
      responses: { 204: { description: 'Removed.' }, 404: notFound },
    }),
    validate('param', RemoveDomain),
    async (c) => {
      await removeDomain({ ctx: c.var.ctx, input: c.req.valid('param') });
      return c.body(null, 204);
    },
  );

export type Routes = typeof routes;
