import { type Env, endpoint } from '@ballast/http';
import { AppError } from '@ballast/kernel';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { edgeApp, from } from './testing/edge-app.ts';

const open = endpoint({ summary: 'Test', access: 'public', responses: { 200: { description: 'Done.' } } });
const signedIn = endpoint({ summary: 'Test', access: 'session', responses: { 200: { description: 'Done.' } } });
const may = endpoint({
  summary: 'Test',
  access: { permission: 'test:write' },
  responses: { 200: { description: 'Done.' } },
});
const limited = endpoint({
  summary: 'Test',
  access: 'public',
  rateLimit: [
    { name: 'by-address', limit: 3, windowSeconds: 60, by: ['address'] },
    { name: 'by-account', limit: 2, windowSeconds: 60, by: ['account'], accountField: 'email' },
  ],
  responses: { 200: { description: 'Done.' } },
});

const own = endpoint({
  summary: 'Test',
  access: 'session',
  rateLimit: [
    { name: 'own-address', limit: 9, windowSeconds: 60, by: ['address'] },
    { name: 'own-account', limit: 5, windowSeconds: 3600, by: ['account'] },
  ],
  responses: { 200: { description: 'Done.' } },
});

const keyed = endpoint({
  summary: 'Test',
  access: 'public',
  rateLimit: { name: 'by-key', limit: 2, windowSeconds: 60, by: ['key'] },
  responses: { 200: { description: 'Done.' } },
});

const routes = new Hono<Env>()
  .get('/api/test/keyed', keyed, (c) => c.json({}))
  .get('/api/test/open', open, (c) => c.json({ address: c.var.address, identity: c.var.ctx.identity }))
  .post('/api/test/open', open, (c) => c.json({}))
  .get('/api/test/session', signedIn, (c) => c.json({ tenant: c.var.ctx.tenantId }))
  .post('/api/test/may', may, (c) => c.json({}))
  .get('/api/test/own', own, (c) => c.json({}))
  .post('/api/test/limited', limited, (c) => c.json({}))
  .get('/api/test/crash', open, () => {
    throw new Error('the password is hunter2');
  })
  .get('/api/test/known', open, () => {
    throw new AppError('test.known', { status: 409, public: 'Twice.', internal: 'row 7', retryAfterSeconds: 1.2 });
  })
  .get('/api/test/database', open, () => {
    throw new Error('Failed query', { cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) });
  })
  .get('/api/test/slow', open, async (c) => {
    await new Promise((resolve) => c.var.signal.addEventListener('abort', resolve));
    return c.json({});
  });

const person = { userId: 'u1', sessionId: 's1', sessionEndsAt: new Date(), name: 'Ada', email: 'ada@acme.test' };
const owner = { organizationId: 'o1', role: 'owner' };

describe('createApp', () => {
  it('refuses routes that do not say who may call them', () => {
    const forgotten = new Hono<Env>()
      .get('/api/test/open', open, (c) => c.json({}))
      .get('/api/test/hole', (c) => c.json({}));
    expect(() => edgeApp(forgotten)).toThrow('give each an endpoint(): GET /api/test/hole.');
  });

  it('sets the headers of a private answer that runs nothing', async () => {
    const { app } = edgeApp(routes, { publicUrl: 'https://app.acme.test' });
    const { headers } = await app.request('/api/test/open');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('strict-transport-security')).toContain('max-age');
  });
});

describe('errors', () => {
  it('keeps an unexpected message in the log and out of the answer', async () => {
    const { app, logged } = edgeApp(routes);
    const response = await app.request('/api/test/crash');
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).toContain('internal.unexpected');
    expect(text).not.toMatch(/hunter2|at .*app\.test/);
    const line = logged().find(({ level }) => level === 'error') as {
      error: { message: string; stack: string[] };
      requestId: string;
    };
    expect(line.error.message).toContain('hunter2');
    expect(line.requestId).toBe(response.headers.get('x-request-id'));
  });

  it('gives an AppError its code, sentence and wait, and nothing internal', async () => {
    const response = await edgeApp(routes).app.request('/api/test/known');
    expect(response.status).toBe(409);
    expect(response.headers.get('retry-after')).toBe('2');
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'test.known', detail: 'Twice.' });
    expect(text).not.toContain('row 7');
  });

  it('calls an unreachable database by its name', async () => {
    const response = await edgeApp(routes).app.request('/api/test/database');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await response.json()).toMatchObject({ code: 'database.unreachable' });
  });

  it('gives up at the deadline and tells the route', async () => {
    const { app } = edgeApp(routes, { requestTimeoutMs: 100 });
    const startedAt = Date.now();
    const response = await app.request('/api/test/slow');
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ code: 'request.timeout' });
    // The route alone would never have answered.
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  });
});

describe('who may come in', () => {
  it('asks for a session, hides it from public routes, and finds the tenant', async () => {
    const stranger = edgeApp(routes).app;
    expect((await stranger.request('/api/test/session')).status).toBe(401);
    const { app } = edgeApp(routes, { identity: person, membership: owner });
    expect(await (await app.request('/api/test/session')).json()).toEqual({ tenant: 'o1' });
    expect(await (await app.request('/api/test/open')).json()).toMatchObject({ identity: null });
  });

  it('refuses an organisation that one is not in', async () => {
    const { app } = edgeApp(routes, { identity: person, membership: null });
    const response = await app.request('/api/test/session', { headers: { 'ballast-organization': 'o2' } });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'tenancy.not_a_member' });
  });

  it('asks for the permission: an owner has it; another role and nobody have not', async () => {
    const post = async (membership: { organizationId: string; role: string } | null) =>
      (await edgeApp(routes, { identity: person, membership }).app.request('/api/test/may', { method: 'POST' })).status;
    expect(await post(owner)).toBe(200);
    expect(await post({ organizationId: 'o1', role: 'member' })).toBe(403);
    expect(await post(null)).toBe(403);
  });
});

describe('limits', () => {
  const send = (app: Hono<Env>, address: string, email: string) =>
    app.request(
      '/api/test/limited',
      { method: 'POST', body: JSON.stringify({ email }), headers: { 'content-type': 'application/json' } },
      from(address),
    );

  it('counts by address, an IPv6 /64 as one, and says how long to wait', async () => {
    const { app } = edgeApp(routes);
    for (let n = 0; n < 3; n++) expect((await send(app, `2001:db8:0:1::${n}`, `${n}@a.test`)).status).toBe(200);
    const over = await send(app, '2001:db8:0:1:ffff::9', 'x@a.test');
    expect(over.status).toBe(429);
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(await over.json()).toMatchObject({ code: 'request.rate_limited' });
    expect((await send(app, '2001:db8:0:2::1', 'x@a.test')).status).toBe(200);
  });

  it('counts by the account that the body names, however it is written, and tells nobody how often it was tried', async () => {
    const { app } = edgeApp(routes);
    expect((await send(app, '192.0.2.1', 'ada@a.test')).status).toBe(200);
    expect((await send(app, '192.0.2.2', ' ADA@a.test ')).status).toBe(200);
    const over = await send(app, '192.0.2.3', 'Ada@a.test');
    expect(over.status).toBe(429);
    expect(over.headers.get('ratelimit-policy')).toBe('"by-address";q=3;w=60');
    expect(over.headers.get('ratelimit')).toMatch(/^"by-address";r=2;t=\d+$/);
  });

  it('counts a key by its address while there are no keys: such a rule is never without effect', async () => {
    const { app } = edgeApp(routes);
    const ask = async (address: string) => (await app.request('/api/test/keyed', {}, from(address))).status;
    expect([await ask('192.0.2.1'), await ask('192.0.2.1'), await ask('192.0.2.1')]).toEqual([200, 200, 429]);
    expect(await ask('192.0.2.2')).toBe(200);
  });

  it('tells on each answer what is left, refused or not', async () => {
    const { app } = edgeApp(routes);
    for (const [n, left] of [2, 1, 0, 0].entries()) {
      const { headers } = await send(app, '192.0.2.1', `${n}@a.test`);
      expect(headers.get('ratelimit')).toMatch(new RegExp(`^"by-address";r=${left};t=\\d+$`));
    }
    expect((await app.request('/api/test/open')).headers.get('ratelimit')).toBeNull();
  });

  it('tells a person where their own account stands, beside their address', async () => {
    const { app } = edgeApp(routes, { identity: person, membership: owner });
    const answer = await app.request('/api/test/own', {}, from('192.0.2.1'));
    expect(answer.headers.get('ratelimit-policy')).toBe('"own-address";q=9;w=60, "own-account";q=5;w=3600');
    expect(answer.headers.get('ratelimit')).toMatch(/^"own-address";r=8;t=\d+, "own-account";r=4;t=\d+$/);
    const stranger = await edgeApp(routes).app.request('/api/test/own', {}, from('192.0.2.1'));
    expect(stranger.status).toBe(401);
    expect(stranger.headers.get('ratelimit')).toMatch(/^"own-address";r=8;t=\d+$/);
  });
});

describe('writes with cookies', () => {
  const send = async (headers: Record<string, string>) =>
    (await edgeApp(routes).app.request('/api/test/open', { method: 'POST', headers: { cookie: 'a=b', ...headers } }))
      .status;

  it.each<[string, Record<string, string>, number]>([
    ['our own origin', { origin: 'http://localhost:3000' }, 200],
    ['another origin', { origin: 'https://evil.test' }, 403],
    ['another port', { origin: 'http://localhost:3001' }, 403],
    ['a sandboxed page', { origin: 'null' }, 403],
    ['another site without Origin', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a sibling domain without Origin', { 'sec-fetch-site': 'same-site' }, 403],
    ['no browser', {}, 200],
  ])('from %s', async (_case, headers, status) => {
    expect(await send(headers)).toBe(status);
  });

  it('lets reads and callers without cookies through', async () => {
    const { app } = edgeApp(routes);
    const origin = 'https://evil.test';
    expect((await app.request('/api/test/open', { headers: { origin, cookie: 'a=b' } })).status).toBe(200);
    expect((await app.request('/api/test/open', { method: 'POST', headers: { origin } })).status).toBe(200);
  });
});

describe('a write from a page on another domain of ours', () => {
  const headers = { origin: 'https://shop.acme.test', host: 'shop.acme.test', 'content-type': 'application/json' };
  const send = (more: Record<string, string>, method = 'POST') =>
    edgeApp(routes, { publicUrl: 'https://app.acme.test' }).app.request('/api/test/open', {
      method,
      headers: { ...headers, ...more },
    });

  it('is told where accounts are used, with cookies and without', async () => {
    for (const more of [{}, { cookie: 'a=b' }, { host: 'SHOP.acme.test' }]) {
      const answer = await send(more);
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({
        code: 'request.other_domain',
        detail: 'Accounts are not used on this domain. Sign in at https://app.acme.test instead.',
      });
    }
  });

  it.each<[string, Record<string, string>, string]>([
    ['a read', {}, 'GET'],
    ['our own page', { origin: 'https://app.acme.test', host: 'app.acme.test' }, 'POST'],
    [
      'our own page by way of the web, which asks by another name',
      { origin: 'https://app.acme.test', host: 'api:3001' },
      'POST',
    ],
    ['no address', { origin: 'null' }, 'POST'],
  ])('%s is not', async (_what, more, method) => {
    expect((await send(more, method)).status).toBe(200);
  });
});

describe('request ids and addresses', () => {
  const seen = async (hops: number, headers: Record<string, string>, remote = '10.0.0.9') => {
    const response = await edgeApp(routes, { trustedProxyHops: hops }).app.request(
      '/api/test/open',
      { headers },
      from(remote),
    );
    return {
      id: response.headers.get('x-request-id'),
      address: ((await response.json()) as { address: string }).address,
    };
  };

  it('takes a request id over only from a trusted proxy, and only a sound one', async () => {
    expect((await seen(1, { 'x-request-id': 'proxy-id-0001' })).id).toBe('proxy-id-0001');
    expect((await seen(0, { 'x-request-id': 'proxy-id-0001' })).id).toMatch(/^[0-9a-f-]{36}$/);
    for (const id of ['short', 'x'.repeat(65), 'with space', '<script>', 'a"b"c"d"e']) {
      expect((await seen(1, { 'x-request-id': id })).id).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it.each<[string, number, string | undefined, string, string]>([
    ['no proxy: the peer, whatever is claimed', 0, '1.1.1.1', '203.0.113.7', '203.0.113.7'],
    ['one proxy: the last entry', 1, '6.6.6.6, 203.0.113.7', '10.0.0.9', '203.0.113.7'],
    ['two proxies: the last but one', 2, '6.6.6.6, 203.0.113.7, 10.0.0.8', '10.0.0.9', '203.0.113.7'],
    ['fewer entries than proxies', 3, '203.0.113.7', '10.0.0.9', '203.0.113.7'],
    ['a proxy that sent no header', 1, undefined, '10.0.0.9', '10.0.0.9'],
    ['an entry that is no address', 1, 'unknown', '10.0.0.9', '10.0.0.9'],
    ['a port', 1, '203.0.113.7:4711', '10.0.0.9', '203.0.113.7'],
    ['IPv6 with brackets and port', 1, '[2001:DB8::1]:4711', '10.0.0.9', '2001:db8::1'],
    ['IPv4 in IPv6 clothes', 0, undefined, '::ffff:203.0.113.7', '203.0.113.7'],
  ])('%s', async (_case, hops, forwarded, remote, expected) => {
    const headers: Record<string, string> = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    expect((await seen(hops, headers, remote)).address).toBe(expected);
  });
});

describe('the access log', () => {
  it('is one line for each request, without query, however hostile', async () => {
    const { app, lines, logged } = edgeApp(routes);
    await app.request('/api/test/%0d%0a%1b[31m{"level":"info"}?token=hunter2', {
      headers: { 'user-agent': 'x\u001b[0m' },
    });
    expect(lines.join('')).not.toContain('hunter2');
    for (const char of '\n\r\u001b') expect(lines.map((line) => line.trimEnd()).join('')).not.toContain(char);
    expect(logged().filter(({ msg }) => msg === 'request')).toHaveLength(1);
    expect(logged().at(-1)).toMatchObject({ status: 404, method: 'GET' });
  });
});
