import { type Env, endpoint } from '@ballast/http';
import { AppError } from '@ballast/kernel';
import { createLogger } from '@ballast/observability/logger';
import { openTracing, type Tracing } from '@ballast/observability/tracing';
import { startTraceReceiver, type TraceReceiver } from '@ballast/test-kit/trace-receiver';
import { Hono } from 'hono';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { edgeApp } from '../testing/edge-app.ts';

const open = endpoint({ summary: 'Test', access: 'public', responses: { 200: { description: 'Done.' } } });
const routes = new Hono<Env>()
  .get('/api/test/items/:id', open, (c) => {
    c.var.log.info({}, 'in the handler');
    return c.json({});
  })
  .post('/api/test/items/:id', open, () => {
    throw new AppError('test.broken', { public: 'Broken.', internal: 'params: ada@acme.test' });
  })
  .put('/api/test/items/:id', open, () => {
    throw new TypeError('params: ada@acme.test');
  });

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const sampled = `00-${traceId}-${spanId}-01`;

let receiver: TraceReceiver;
let tracing: Tracing;
beforeEach(async () => {
  receiver = await startTraceReceiver();
  const log = createLogger({ level: 'silent', base: { service: 'test' } });
  tracing = await openTracing({ serviceName: 'ballast-api', release: 'test', exporterUrl: receiver.url, log });
});
afterEach(async () => {
  await tracing.close();
  await receiver.close();
});

/** They come together. Who closes gives up after three seconds; they come all the same. */
async function spansOf(work: (app: ReturnType<typeof edgeApp>) => Promise<unknown>, trusted = false) {
  await work(edgeApp(routes, { tracing: { trusted } }));
  await tracing.close();
  await expect.poll(() => receiver.spans.length).toBeGreaterThan(0);
  return receiver.spans;
}

it('makes one span for each request, named by its route, with nothing that people chose', async () => {
  const spans = await spansOf(async ({ app, logged }) => {
    const response = await app.request('/api/test/items/ada@acme.test?token=hunter2');
    expect(logged().map(({ msg, trace_id }) => `${msg} ${trace_id}`)).toEqual([
      `in the handler ${logged()[0]?.trace_id}`,
      `request ${logged()[0]?.trace_id}`,
    ]);
    expect(logged()[0]?.requestId).toBe(response.headers.get('x-request-id'));
    for (const path of ['/livez', '/readyz', '/health']) await app.request(path);
    await app.request('/api/nothing/of/ada@acme.test');
  });
  expect(spans.map(({ name, kind, parentId }) => ({ name, kind, parentId }))).toEqual([
    { name: 'GET /api/test/items/:id', kind: 2, parentId: '' },
    { name: 'GET', kind: 2, parentId: '' },
  ]);
  expect(spans[0]?.attributes).toEqual({
    'http.request.method': 'GET',
    'http.route': '/api/test/items/:id',
    'http.response.status_code': 200,
    'ballast.request_id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  // Not only `ada`: these three letters are hexadecimal digits, and one random UUID in 140 has them in a row.
  for (const chosen of ['ada@', 'acme', 'hunter2']) expect(receiver.text()).not.toContain(chosen);
});

it('marks what failed by its code or kind, and keeps the words for the log', async () => {
  const spans = await spansOf(async ({ app }) => {
    await app.request('/api/test/items/1', { method: 'POST' });
    await app.request('/api/test/items/1', { method: 'PUT' });
  });
  expect(spans.map(({ status, attributes }) => [status, attributes['error.type']])).toEqual([
    [2, 'test.broken'],
    [2, 'TypeError'],
  ]);
  expect(receiver.text()).not.toContain('ada@acme.test');
});

it("links a caller's trace and begins one of its own", async () => {
  const [span] = await spansOf(
    ({ app }) => app.request('/api/test/items/1', { headers: { traceparent: sampled } }) as Promise<Response>,
  );
  expect(span?.traceId).not.toBe(traceId);
  expect(span).toMatchObject({ parentId: '', links: [{ traceId, spanId }] });
});

it('goes on in the trace of a trusted proxy, which has decided whether it is kept', async () => {
  const spans = await spansOf(async ({ app, logged }) => {
    await app.request('/api/test/items/1', { headers: { traceparent: sampled } });
    await app.request('/api/test/items/2', { headers: { traceparent: sampled.replace(/01$/, '00') } });
    expect(logged().every((line) => line.trace_id === traceId)).toBe(true);
  }, true);
  expect(spans).toHaveLength(1);
  expect(spans[0]).toMatchObject({ traceId, parentId: spanId, links: [] });
});

it.each(['no trace', `00-${'0'.repeat(32)}-${spanId}-01`, `${sampled}, ${sampled}`, `ff${sampled.slice(2)}`])(
  'ignores the malformed %s, even from a trusted proxy',
  async (traceparent) => {
    const [span] = await spansOf(
      ({ app }) => app.request('/api/test/items/1', { headers: { traceparent } }) as Promise<Response>,
      true,
    );
    expect(span).toMatchObject({ parentId: '', links: [] });
    expect(span?.traceId).not.toBe(traceId);
  },
);

it('is not even there when off', async () => {
  const { app, logged } = edgeApp(routes);
  expect((await app.request('/api/test/items/1', { headers: { traceparent: sampled } })).status).toBe(200);
  expect(logged().some((line) => 'trace_id' in line)).toBe(false);
});
