import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { forward } from './forward.ts';

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;
const servers: http.Server[] = [];

/** A real server in the API's place; returns its origin. */
async function api(handler: Handler): Promise<string> {
  const server = http.createServer(handler).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const page = 'http://localhost:3000';

it('passes method, path, query, cookies and body on, and says nothing in its own name', async () => {
  const origin = await api(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
  });
  const response = await forward(
    new Request(`${page}/api/a%2Fb?x=1&x=2&y=%20`, {
      method: 'PATCH',
      body: '{"name":"Ada"}',
      headers: {
        cookie: 'ballast.session_token=abc',
        'content-type': 'application/json',
        origin: page,
        'x-forwarded-for': '203.0.113.9',
        'x-nonce': 'n',
        'x-middleware-subrequest': 'src/proxy',
        te: 'trailers',
      },
    }),
    origin,
  );
  const seen = await response.json();
  expect(seen).toMatchObject({ method: 'PATCH', url: '/api/a%2Fb?x=1&x=2&y=%20', body: '{"name":"Ada"}' });
  expect(seen.headers).toMatchObject({
    cookie: 'ballast.session_token=abc',
    'content-type': 'application/json',
    origin: page,
    'x-forwarded-for': '203.0.113.9',
  });
  for (const name of ['x-nonce', 'x-middleware-subrequest', 'te']) expect(seen.headers).not.toHaveProperty(name);
});

it('drops what `Connection` names, but not who calls and by which id', async () => {
  const origin = await api((request, response) => void response.end(JSON.stringify(request.headers)));
  const response = await forward(
    new Request(`${page}/api/x`, {
      headers: {
        connection: 'close, X-Forwarded-For, x-request-id, x-hop',
        'x-forwarded-for': '203.0.113.9',
        'x-request-id': 'from-caddy-0001',
        'x-hop': 'for one hop',
      },
    }),
    origin,
  );
  const seen = await response.json();
  expect(seen).toMatchObject({ 'x-forwarded-for': '203.0.113.9', 'x-request-id': 'from-caddy-0001' });
  expect(seen).not.toHaveProperty('x-hop');
});

it.each([201, 204, 302, 304, 409, 503])(
  'passes on the status %i, each cookie, and the body as it is',
  async (status) => {
    const origin = await api((_, response) => {
      response.writeHead(status, {
        'set-cookie': ['a=1; Path=/; HttpOnly', 'b=2; Path=/'],
        'content-type': 'application/problem+json',
        location: '/elsewhere',
        'retry-after': '7',
      });
      response.end(status === 204 || status === 304 ? undefined : '{"code":"x.y"}');
    });
    const response = await forward(new Request(`${page}/api/x`), origin);
    expect(response.status).toBe(status);
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/; HttpOnly', 'b=2; Path=/']);
    expect(response.headers.get('location')).toBe('/elsewhere');
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.text()).toBe(status === 204 || status === 304 ? '' : '{"code":"x.y"}');
  },
);

it('streams: what the API has said arrives before it has finished', async () => {
  let finish = () => {};
  const origin = await api((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: 1\n\n');
    finish = () => response.end('data: 2\n\n');
  });
  const response = await forward(new Request(`${page}/api/events`), origin);
  expect(response.headers.get('cache-control')).toContain('no-transform');
  const reader = response.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: 1\n\n');
  finish();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: 2\n\n');
  expect((await reader?.read())?.done).toBe(true);
});

it('passes on a body larger than Next would keep', async () => {
  const size = 12 * 1024 * 1024;
  const origin = await api(async (request, response) => {
    let length = 0;
    for await (const chunk of request) length += chunk.length;
    response.end(String(length));
  });
  const response = await forward(new Request(`${page}/api/x`, { method: 'POST', body: Buffer.alloc(size) }), origin);
  expect(await response.text()).toBe(String(size));
});

it('ends the call to the API when the browser has gone', async () => {
  const gone = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const origin = await api((request) => {
    request.on('close', () => gone.resolve());
    arrived.resolve();
  });
  const browser = new AbortController();
  const answered = forward(new Request(`${page}/api/slow`, { signal: browser.signal }), origin);
  await arrived.promise;
  browser.abort();
  await gone.promise;
  expect((await answered).status).toBe(502);
});

it('answers for an API that is away with a problem document', async () => {
  const origin = await api(() => {});
  servers.splice(0).forEach((server) => void server.close());
  const response = await forward(new Request(`${page}/api/x`), origin);
  expect(response.status).toBe(502);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = await response.json();
  expect(problem).toMatchObject({ code: 'service.unreachable', status: 502 });
  expect(response.headers.get('x-request-id')).toBe(problem.requestId);
  expect(JSON.stringify(problem)).not.toContain('127.0.0.1');
});
