import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Edge, startCaddy, untilStatus } from './harness/caddy.ts';
import { trickle } from './harness/raw.ts';
import { startMute, startReplica } from './harness/replica.ts';

let edge: Edge;
let stopReplicas = () => {};

beforeAll(async () => {
  edge = await startCaddy();
  const json = JSON.stringify({ text: 'reached '.repeat(400) });
  const api = await startReplica('127.0.1.1', edge.ports.api, async (incoming, response) => {
    if (incoming.url === '/api/hangs') return;
    if (incoming.url === '/api/events') return events(incoming.headers['last-event-id'], response);
    for await (const _ of incoming);
    response.setHeader('content-type', 'application/json').setHeader('server', 'secret/1.0');
    response.end(incoming.url === '/api/echo' ? JSON.stringify(incoming.headers) : json);
  });
  const web = await startReplica('127.0.1.1', edge.ports.web, async (incoming, response) => {
    for await (const _ of incoming);
    response.setHeader('content-type', 'text/html').end('<p>reached</p>'.repeat(200));
  });
  edge.names.set('api', ['127.0.1.1']);
  edge.names.set('web', ['127.0.1.1']);
  stopReplicas = () => {
    api.stop();
    web.stop();
  };
  await untilStatus(`${edge.origin}/api/x`, 200);
  await untilStatus(`${edge.origin}/`, 200);
});
afterAll(async () => {
  await edge?.stop();
  stopReplicas();
});

/** Ten events a second, from the one after the last that the reader has. */
function events(lastId: string | string[] | undefined, response: import('node:http').ServerResponse) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let id = Number(lastId ?? 0);
  const timer = setInterval(() => response.write(`id: ${++id}\ndata: ${id}\n\n`), 100);
  response.on('close', () => clearInterval(timer));
}

/** As typed, without what `fetch` tidies up. */
async function statusOf(path: string): Promise<number> {
  const sent = request({ host: '127.0.0.1', port: edge.port, path }).end();
  const [response] = await once(sent, 'response');
  response.resume();
  return response.statusCode;
}

describe('what the public reaches', () => {
  it.each([
    ...[
      '/metrics',
      '/metrics/x',
      '/METRICS',
      '/%6detrics',
      '//metrics',
      '/x/../metrics',
      '/livez',
      '/readyz',
      '/health',
    ],
    ...['/internal', '/internal/x', '/api/../internal/x', '/%69nternal/x'],
  ])('not %s', async (path) => {
    expect(await statusOf(path)).toBe(404);
  });

  it('the API under /api, and the web everywhere else', async () => {
    expect(await (await fetch(`${edge.origin}/api/x`)).text()).toContain('{"text":"reached');
    expect(await (await fetch(`${edge.origin}/apix`)).text()).toContain('<p>reached</p>');
  });
});

describe('headers', () => {
  /** What a replica was told, by whom connected from `localAddress`. */
  async function told(localAddress: string, headers: Record<string, string>): Promise<Record<string, string>> {
    const sent = request({ host: '127.0.0.1', port: edge.port, path: '/api/echo', localAddress, headers }).end();
    const [response] = await once(sent, 'response');
    let text = '';
    for await (const part of response) text += part;
    return JSON.parse(text);
  }

  it('tells replicas one client, and a request id of its own, whatever the caller claims', async () => {
    const claims = { 'x-forwarded-for': '6.6.6.6', 'x-request-id': 'made-up-0001', 'x-forwarded-proto': 'https' };
    const seen = await told('127.0.0.9', claims);
    expect(seen['x-forwarded-for']).toBe('127.0.0.9');
    expect(seen['x-forwarded-proto']).toBe('http');
    expect(seen['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('believes a balancer of ours the last address that it saw, and not what came before', async () => {
    // TRUSTED_PROXIES is 127.0.0.1 where it is not set.
    const seen = await told('127.0.0.1', { 'x-forwarded-for': '6.6.6.6, 203.0.113.9' });
    expect(seen['x-forwarded-for']).toBe('203.0.113.9');
  });

  it('adds what protects a page where a replica set nothing, and says of no software', async () => {
    const { headers } = await fetch(`${edge.origin}/api/x`);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('strict-origin-when-cross-origin');
    expect(headers.get('server')).toBeNull();
    expect(headers.get('via')).toBeNull();
  });

  it('compresses what is complete', async () => {
    for (const path of ['/api/x', '/']) {
      const { headers } = await fetch(edge.origin + path, { headers: { 'accept-encoding': 'gzip' } });
      expect(headers.get('content-encoding'), path).toBe('gzip');
    }
  });
});

describe('the log', () => {
  const secret = 'canary-of-the-edge-0123456789';

  it('has every request, and no token, cookie, login or key, also of those that found nobody', async () => {
    const headers = {
      referer: `${edge.origin}/verify?token=${secret}`,
      cookie: `ballast.session_token=${secret}`,
      authorization: `Bearer ${secret}`,
      'proxy-authorization': `Basic ${secret}`,
      'x-api-key': secret,
    };
    const ask = (path: string) => fetch(edge.origin + path, { headers });
    expect((await ask(`/verify?token=${secret}&served`)).status).toBe(200);
    expect((await ask(`/api/x?token=${secret}&served`)).status).toBe(200);
    expect((await ask(`/metrics?token=${secret}`)).status).toBe(404);
    edge.names.set('web', []);
    await expect.poll(async () => (await ask('/none')).status, { timeout: 60_000 }).toBeGreaterThan(500);
    expect((await ask(`/verify?token=${secret}&alone`)).status).toBeGreaterThan(500);
    edge.names.set('web', ['127.0.1.1']);
    await untilStatus(`${edge.origin}/`, 200);
    for (const uri of [
      /"\/verify\?served=&token=REDACTED"/,
      /"\/api\/x\?served=&token=REDACTED"/,
      /"\/verify\?alone=&token=REDACTED"/,
    ]) {
      await expect.poll(() => edge.said().replaceAll('\\u0026', '&'), { timeout: 30_000 }).toMatch(uri);
    }
    expect(edge.said()).not.toContain(secret);
  });
});

describe('events', () => {
  it('arrive when they are sent, uncompressed, for longer than a body may take', async () => {
    const startedAt = performance.now();
    const response = await fetch(`${edge.origin}/api/events`);
    expect(response.headers.get('content-encoding')).toBeNull();
    const ids = await read(response, 120);
    expect(ids).toEqual(Array.from({ length: 120 }, (_, n) => n + 1));
    const ms = performance.now() - startedAt;
    expect(ms).toBeGreaterThan(11_500);
  });

  it('resume after a reload of Caddy, none lost', async () => {
    const seen: number[] = [];
    let reloaded = false;
    while (seen.length < 60) {
      const response = await fetch(`${edge.origin}/api/events`, {
        headers: { 'last-event-id': String(seen.at(-1) ?? 0) },
      });
      await read(response, 60 - seen.length, (id) => {
        seen.push(id);
        if (seen.length === 20 && !reloaded) {
          reloaded = true;
          edge.reload();
        }
      }).catch(() => {});
    }
    expect(reloaded).toBe(true);
    expect(seen).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
  });
});

async function read(response: Response, count: number, told: (id: number) => void = () => {}): Promise<number[]> {
  const ids: number[] = [];
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const id = Number(/^id: (\d+)/.exec(text)?.[1]);
      text = text.slice(end + 2);
      ids.push(id);
      told(id);
      if (ids.length === count) return ids;
    }
  }
  return ids;
}

it('closes within ten seconds on whoever sends a byte a second, and serves others meanwhile', async () => {
  const head = (first: string) => `${first} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
  const slow = Promise.all([
    trickle(edge.port, `${head('GET /')}X: `, 60_000),
    trickle(edge.port, `${head('POST /api/x')}Content-Length: 99\r\n\r\n`, 60_000),
    trickle(edge.port, `${head('POST /')}Content-Length: 99\r\n\r\n`, 60_000),
    trickle(edge.port, `${head('POST /metrics')}Content-Length: 99\r\n\r\n`, 60_000),
  ]);
  const servedInMs: number[] = [];
  for (let n = 0; n < 3; n++) {
    const startedAt = performance.now();
    expect((await fetch(`${edge.origin}/api/x`)).status).toBe(200);
    servedInMs.push(performance.now() - startedAt);
  }
  expect(Math.min(...servedInMs)).toBeLessThan(2_000);
  for (const [n, { sent, closed }] of (await slow).entries()) {
    expect(closed, `the ${n + 1}. of them`).toBe(true);
    expect(sent, `the ${n + 1}. of them`).toBeLessThanOrEqual(10);
  }
});

describe('too much', () => {
  it('of a head is refused before anybody is asked', async () => {
    const asked = (size: number) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { x: 'x'.repeat(size) };
        const sent = request({ host: '127.0.0.1', port: edge.port, path: '/metrics', headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.once('error', reject).end();
      });
    expect(await asked(12_000)).toBe(404);
    expect(await asked(40_000)).toBe(431);
  });

  it('of a body is cut off at what the largest setting could allow, however it is sent', async () => {
    const send = () =>
      new Promise<number | string>((resolve) => {
        const sent = request({ host: '127.0.0.1', port: edge.port, path: '/api/x', method: 'POST' }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        sent.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
        const part = Buffer.alloc(1024 * 1024);
        const write = (left: number): void => {
          if (left === 0) sent.end();
          else if (!sent.destroyed) sent.write(part, () => write(left - 1));
        };
        write(102);
      });
    // A body that takes nine seconds is cut off for that: what took nearly as long says nothing of its size.
    let answer: number | string = '';
    let tookMs = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 5 && tookMs > 8_000; tries++) {
      const startedAt = performance.now();
      answer = await send();
      tookMs = performance.now() - startedAt;
    }
    expect(tookMs).toBeLessThan(8_000);
    expect([413, 'EPIPE', 'ECONNRESET']).toContain(answer);
  });
});

it('leaves a replica out that cannot be connected to: one request in two seconds waits for it, and not every other', async () => {
  const mute = await startMute('127.0.1.9', edge.ports.api);
  try {
    edge.names.set('api', ['127.0.1.1', '127.0.1.9']);
    const answeredInMs: number[] = [];
    const until = performance.now() + 60_000;
    let foundAt = Number.POSITIVE_INFINITY;
    // From the first that waited on: for three seconds, and for as many answers as tell a half from a few.
    const isEnough = () => answeredInMs.length >= 60 && performance.now() - foundAt >= 3_000;
    while (performance.now() < until && !isEnough()) {
      const startedAt = performance.now();
      expect((await fetch(`${edge.origin}/api/x`)).status).toBe(200);
      const ms = performance.now() - startedAt;
      if (ms > 900 && foundAt === Number.POSITIVE_INFINITY) foundAt = startedAt;
      if (foundAt !== Number.POSITIVE_INFINITY) answeredInMs.push(ms);
    }
    // Where it is asked each time that its turn comes, half of all wait.
    expect(answeredInMs.length).toBeGreaterThanOrEqual(60);
    const waits = answeredInMs.filter((ms) => ms > 900).length;
    expect(waits).toBeLessThanOrEqual(2 + (performance.now() - foundAt) / 2_000);
    expect(waits / answeredInMs.length).toBeLessThan(1 / 4);
  } finally {
    mute.stop();
    edge.names.set('api', ['127.0.1.1']);
  }
});

it('waits half a minute for an answer, and then says that there is none', async () => {
  const startedAt = performance.now();
  const response = await fetch(`${edge.origin}/api/hangs`);
  const ms = performance.now() - startedAt;
  expect(response.status).toBe(504);
  expect(await response.json()).toMatchObject({ code: 'service.unreachable', status: 504 });
  expect(ms).toBeGreaterThan(28_000);
  expect(ms).toBeLessThan(45_000);
});

it('answers for replicas that are all away with a problem document, in bounded time', async () => {
  edge.names.set('web', []);
  await expect.poll(async () => (await fetch(`${edge.origin}/x`)).status, { timeout: 60_000 }).toBeGreaterThan(500);
  const startedAt = performance.now();
  const response = await fetch(`${edge.origin}/x`);
  expect(performance.now() - startedAt).toBeLessThan(20_000);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await response.json()).toMatchObject({ code: 'service.unreachable', status: response.status });
});
