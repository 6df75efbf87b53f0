import { type Env, endpoint, validate } from '@ballast/http';
import { Hono } from 'hono';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { edgeApp } from '../testing/edge-app.ts';

let changes: unknown[] = [];
const routes = new Hono<Env>()
  .post(
    '/api/test/people',
    endpoint({ summary: 'Add', access: 'public', responses: { 201: { description: 'Added.' } } }),
    validate('json', z.object({ name: z.string().max(20), age: z.int(), password: z.string().min(10).optional() })),
    (c) => {
      changes.push(c.req.valid('json'));
      return c.json({}, 201);
    },
  )
  .get(
    '/api/test/people',
    endpoint({ summary: 'List', access: 'public', responses: { 200: { description: 'All.' } } }),
    validate('query', z.strictObject({ limit: z.coerce.number().max(100).optional() })),
    (c) => c.json({}, 200),
  );
const { app, lines } = edgeApp(routes);

const json = { 'content-type': 'application/json' };
const post = (body: RequestInit['body'] | null, headers: Record<string, string> = json) =>
  app.request('/api/test/people', { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
const bytes = (...values: number[]) => new Uint8Array(values);
const chunks = (size: number, count: number) => {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent++ >= count) return controller.close();
      controller.enqueue(new Uint8Array(size).fill(0x20));
    },
  });
};
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

beforeEach(() => {
  changes = [];
});

describe('bad input', () => {
  it.each<[string, () => Promise<Response> | Response, number, string]>([
    ['an unknown field', () => post('{"name":"Ada","age":1,"admin":true}'), 400, 'request.invalid'],
    ['a field of another type', () => post('{"name":"Ada","age":"1"}'), 400, 'request.invalid'],
    ['a missing field', () => post('{"name":"Ada"}'), 400, 'request.invalid'],
    ['an array instead of an object', () => post('[]'), 400, 'request.invalid'],
    ['null', () => post('null'), 400, 'request.invalid'],
    ['no body at all', () => post(null, {}), 400, 'request.invalid'],
    ['an empty JSON body', () => post('', json), 400, 'request.invalid_json'],
    ['broken JSON', () => post('{"name":'), 400, 'request.invalid_json'],
    ['two documents', () => post('{} {}'), 400, 'request.invalid_json'],
    ['a prototype as a field', () => post('{"name":"Ada","age":1,"__proto__":{"admin":true}}'), 400, 'request.invalid'],
    ['invalid UTF-8', () => post(bytes(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d)), 400, 'request.invalid_json'],
    ['a surrogate in UTF-8', () => post(bytes(0x22, 0xed, 0xa0, 0x80, 0x22)), 400, 'request.invalid_json'],
    ['a byte order mark', () => post('\ufeff{}'), 400, 'request.invalid_json'],
    ['nesting beyond measure', () => post(nested(4_000)), 400, 'request.invalid_json'],
    ['nesting just beyond the limit', () => post(nested(33)), 400, 'request.invalid_json'],
    ['a body that is too large', () => post(`"${'x'.repeat(11_000)}"`), 413, 'request.too_large'],
    ['a body that is too large and does not say so', () => post(chunks(1_000, 50)), 413, 'request.too_large'],
    [
      'a length that is a lie',
      () => post(chunks(1_000, 50), { ...json, 'content-length': '10' }),
      413,
      'request.too_large',
    ],
    [
      'a form',
      () => post('name=Ada', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'request.unsupported_media_type',
    ],
    ['text', () => post('{}', { 'content-type': 'text/plain' }), 415, 'request.unsupported_media_type'],
    [
      'no content type',
      () => post(bytes(0x7b, 0x7d), { 'content-length': '2' }),
      415,
      'request.unsupported_media_type',
    ],
    [
      'another character set',
      () => post('{}', { 'content-type': 'application/json; charset=utf-16' }),
      415,
      'request.unsupported_media_type',
    ],
    [
      'a compressed body',
      () => post('{}', { ...json, 'content-encoding': 'gzip' }),
      415,
      'request.unsupported_encoding',
    ],
    ['an unknown query parameter', () => app.request('/api/test/people?admin=1'), 400, 'request.invalid'],
    ['a query parameter out of range', () => app.request('/api/test/people?limit=1000'), 400, 'request.invalid'],
    ['an unknown address', () => app.request('/api/test/nothing'), 404, 'request.not_found'],
    [
      'a method that is not there',
      () => app.request('/api/test/people', { method: 'DELETE' }),
      405,
      'request.method_not_allowed',
    ],
  ])('%s', async (_case, send, status, code) => {
    const response = await send();
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const problem = (await response.json()) as Record<string, unknown>;
    expect(problem).toMatchObject({
      type: 'about:blank',
      status,
      code,
      requestId: response.headers.get('x-request-id'),
    });
    expect(problem.title).not.toBe('Error');
    expect(changes).toEqual([]);
  });

  it('names the fields, by path, and never repeats their values', async () => {
    const response = await post('{"name":7,"age":1.5,"password":"hunter2","hunter2":"hunter2"}');
    const problem = (await response.json()) as { errors: { path: string; message: string }[] };
    expect(problem.errors.map(({ path }) => path).sort()).toEqual(['age', 'hunter2', 'name', 'password']);
    const rest = { ...problem, errors: problem.errors.filter(({ path }) => path !== 'hunter2') };
    expect(JSON.stringify(rest)).not.toContain('hunter2');
    expect(lines.join('')).not.toContain('hunter2');
  });

  it('answers no more than it was sent, however many fields are wrong', async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`field${n}`, n]));
    const response = await post(JSON.stringify(many));
    expect(((await response.json()) as { errors: unknown[] }).errors.length).toBeLessThanOrEqual(50);
  });

  it.each([
    ['brackets inside strings', `{"name":"${'['.repeat(19)}","age":1}`],
    ['escaped quotes', String.raw`{"name":"\"[\\","age":1}`],
    ['JSON under another name', '{"name":"Ada","age":1}', 'application/vnd.acme+json; charset="UTF-8"'],
  ])('takes %s', async (_case, body, type = 'application/json') => {
    expect((await post(body, { 'content-type': type })).status).toBe(201);
    expect(changes).toHaveLength(1);
  });

  it('names the methods that an address takes', async () => {
    const response = await app.request('/api/test/people', { method: 'PUT' });
    expect(response.headers.get('allow')).toBe('GET, POST');
  });
});
