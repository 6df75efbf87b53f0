/** Certificates for the domains that tenants proved: the project's Caddyfile in a real Caddy, which asks a real API. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase, onServer, type TestDatabase } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { openTcpProxy, type TcpProxy } from '@ballast/test-kit/tcp-proxy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killStarted, start, untilReady } from '../../apps/api/src/testing/start-process.ts';
import { type Edge, startCaddy } from './harness/caddy.ts';
import { type At, ask, certificateFor, untilServed } from './harness/handshake.ts';
import { startReplica } from './harness/replica.ts';

const site = 'app.ballast.example';
const address = '127.0.2.1';

let database: TestDatabase;
let proxy: TcpProxy;
let edge: Edge;
let at: At;
let inside: string;
let stopWeb = () => {};

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await openTcpProxy(database.appUrl);
  inside = `http://127.0.0.1:${await freePort()}`;
  edge = await startCaddy({ tls: { site, inside } });
  const web = await startReplica(address, edge.ports.web, async (incoming, response) => {
    const domain = incoming.headers['x-ballast-domain'] ?? 'none';
    response.setHeader('content-type', 'text/html');
    if (incoming.url !== '/plain') response.setHeader('strict-transport-security', 'max-age=1');
    response.end(`<p>the page of ${domain}</p>`);
  });
  stopWeb = () => web.stop();
  await startApi();
  edge.names.set('api', [address]);
  edge.names.set('web', [address]);
  // The authority's certificate is there as soon as Caddy is.
  at = { port: edge.port, ca: readFileSync(join(edge.data, 'pki/authorities/local/root.crt'), 'utf8') };
  await untilServed(site, at);
});
afterAll(async () => {
  killStarted();
  await edge?.stop();
  stopWeb();
  await proxy?.close();
  await database?.drop();
});

async function startApi(): Promise<void> {
  const api = start('main', {
    BALLAST_ENV: 'local',
    PUBLIC_URL: `https://${site}`,
    DATABASE_URL: proxy.url,
    AUTH_SECRET: 'a-secret-of-the-tests-that-is-long-enough',
    DISABLE_BACKGROUND_WORKERS: 'true',
    API_HOST: address,
    API_PORT: String(edge.ports.api),
    METRICS_PORT: new URL(inside).port,
    TRUSTED_PROXY_HOPS: '1',
  });
  await untilReady(String(edge.ports.api), api, address);
}

/** A claim of an organisation of its own, as the module's own tests show it coming about. */
async function claim(name: string, proved: boolean): Promise<void> {
  const organization = randomUUID();
  await onServer(database.adminUrl, async (admin) => {
    await admin`insert into accounts.organization (id, name, slug, personal) values (${organization}, 'Own', ${organization}, true)`;
    await admin`
      insert into domains.domain (id, organization_id, name, token, proved_at, checked_at)
      values (gen_random_uuid(), ${organization}, ${name}, repeat('x', 48), case when ${proved} then now() end, now())`;
  });
}

const answerTo = async (query: string) => (await fetch(`${inside}/internal/domains/ask${query}`)).status;

/** The names of all certificates that Caddy ever obtained. */
const obtained = () => readdirSync(join(edge.data, 'certificates'), { recursive: true }).map((path) => String(path));

describe('a name that a tenant proved', () => {
  it('gets a certificate during its first handshake, and the pages', async () => {
    await claim('shop.acme.example', true);
    const page = await ask('shop.acme.example', at);
    expect(page).toMatchObject({ status: 200, text: '<p>the page of shop.acme.example</p>' });
    expect(await certificateFor('shop.acme.example', at)).toMatchObject({
      names: 'DNS:shop.acme.example',
      by: expect.stringContaining('Caddy Local Authority'),
    });
    expect((await ask('shop.acme.example', at, { path: '/api/accounts/me' })).status).toBe(401);
  });

  it('is promised to no browser as https for long: that is for its owner to say, as it is ours on the site', async () => {
    expect((await ask('shop.acme.example', at)).headers).not.toHaveProperty('strict-transport-security');
    const promised = async (path: string) => (await ask(site, at, { path })).headers['strict-transport-security'];
    expect(await promised('/api/accounts/me')).toBe('max-age=31536000');
    // What a replica says stands; where it says nothing, Caddy does.
    expect(await promised('/')).toBe('max-age=1');
    expect(await promised('/plain')).toBe('max-age=31536000');
  });

  it('is no place to sign in: the API says where', async () => {
    const origin = `https://shop.acme.example:${at.port}`;
    const body = JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery' });
    const headers = { origin, 'content-type': 'application/json', 'content-length': String(body.length) };
    const path = '/api/accounts/sign-in';
    const answer = await ask('shop.acme.example', at, { path, method: 'POST', headers, body });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 'request.other_domain',
      detail: `Accounts are not used on this domain. Sign in at https://${site} instead.`,
    });
    expect(answer.headers).not.toHaveProperty('set-cookie');
  });
});

describe('any other name', () => {
  it.each(['pending.acme.example', 'other.acme.example', 'acme.example', 'x.shop.acme.example', `x.${site}`])(
    'fails its handshake, and no certificate is made: %s',
    async (name) => {
      if (name.startsWith('pending')) await claim(name, false);
      expect(await certificateFor(name, at)).toBeNull();
      expect(obtained().some((path) => path.includes('/shop.acme.example'))).toBe(true);
      expect(obtained().filter((path) => path.includes(`/${name}`))).toEqual([]);
    },
  );

  it('is not served under the certificate of a proved one, or of the site', async () => {
    for (const name of ['shop.acme.example', site]) {
      const { status, text } = await ask(name, at, { host: 'other.acme.example' });
      expect(status, name).toBe(421);
      expect(text, name).not.toContain('page');
    }
  });

  it('cannot be made out to be one towards the web', async () => {
    const { text } = await ask(site, at, { headers: { 'x-ballast-domain': 'shop.acme.example' } });
    expect(text).toBe('<p>the page of none</p>');
  });
});

describe('the question', () => {
  it('is answered inside: yes for what was proved and the site, no for the rest, whatever it looks like', async () => {
    expect(await answerTo('?domain=shop.acme.example')).toBe(200);
    expect(await answerTo(`?domain=${site}`)).toBe(200);
    for (const name of ['other.acme.example', 'pending.acme.example', '127.0.0.1', '*.acme.example', 'x', '%00']) {
      expect(await answerTo(`?domain=${name}`), name).toBe(404);
    }
    for (const query of ['', '?domain=', `?domain=${'a'.repeat(254)}`, '?domain=acme.example&more=1']) {
      expect(await answerTo(query), query).toBe(400);
    }
  });

  it.each([
    '/internal/domains/ask',
    '/api/../internal/domains/ask',
    '/%69nternal/domains/ask',
    '/api/internal/domains/ask',
  ])('is nobody’s through Caddy: %s', async (path) => {
    for (const name of [site, 'shop.acme.example']) {
      const { status, text } = await ask(name, at, { path: `${path}?domain=shop.acme.example` });
      expect(status).toBe(404);
      expect(text).not.toContain('"domain"');
    }
  });

  it('is not answered on the port that requests come to', async () => {
    const answer = await fetch(`http://${address}:${edge.ports.api}/internal/domains/ask?domain=shop.acme.example`);
    expect(answer.status).toBe(404);
  });
});

describe('while it cannot be answered', () => {
  it('without Postgres: 503 and no new certificate, and those that are there go on', async () => {
    await claim('second.acme.example', true);
    await proxy.stop();
    await expect.poll(() => answerTo('?domain=second.acme.example'), { timeout: 60_000 }).toBe(503);
    expect(await certificateFor('second.acme.example', at)).toBeNull();
    expect((await ask('shop.acme.example', at)).status).toBe(200);
    await proxy.start();
    await expect.poll(() => certificateFor('second.acme.example', at), { timeout: 60_000 }).not.toBeNull();
  });

  it('without the API: the same', async () => {
    await claim('third.acme.example', true);
    killStarted();
    expect(await certificateFor('third.acme.example', at)).toBeNull();
    expect((await ask('shop.acme.example', at)).status).toBe(200);
    expect((await ask('second.acme.example', at)).status).toBe(200);
    await startApi();
    await expect.poll(() => certificateFor('third.acme.example', at), { timeout: 60_000 }).not.toBeNull();
  });
});
