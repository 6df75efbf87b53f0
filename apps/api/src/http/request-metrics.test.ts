import { type Env, endpoint } from '@ballast/http';
import { AppError } from '@ballast/kernel';
import type { AnsweredRequest } from '@ballast/observability/metrics-http';
import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { edgeApp } from '../testing/edge-app.ts';

const open = endpoint({ summary: 'Test', access: 'public', responses: { 200: { description: 'Done.' } } });
const routes = new Hono<Env>()
  .get('/api/test/items/:id', open, (c) => c.json({}))
  .post('/api/test/items/:id', open, () => {
    throw new AppError('test.known', { status: 409, public: 'Twice.' });
  });

it('tells the pattern of the route, never what the caller chose', async () => {
  const seen: AnsweredRequest[] = [];
  const { app } = edgeApp(routes, { answered: (request) => seen.push(request) });
  await app.request('/api/test/items/a-person@acme.test?token=secret');
  await app.request('/api/test/items/7', { method: 'POST' });
  await app.request('/api/nothing/of/that/name');
  await app.request('/livez');
  expect(seen.map(({ method, route, status }) => `${method} ${route} ${status}`)).toEqual([
    'GET /api/test/items/:id 200',
    'POST /api/test/items/:id 409',
    'GET null 404',
    'GET /livez 200',
  ]);
  expect(seen.every(({ seconds }) => seconds >= 0 && seconds < 5)).toBe(true);
});
