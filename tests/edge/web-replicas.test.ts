import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { startRedis, type TestRedis } from '@ballast/test-kit/redis';
import { Redis } from 'ioredis';
import { type Browser, chromium, type Page, type Response } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { chromium as chromiumPath } from '../../scripts/test/programs.ts';
import { startApiBehind } from './harness/api-behind.ts';
import { type Edge, startCaddy } from './harness/caddy.ts';
import { buildVersions, startWeb, type Version, type WebReplica } from './harness/web-builds.ts';

let edge: Edge;
let redis: TestRedis;
let browser: Browser;
let versions: Awaited<ReturnType<typeof buildVersions>>;
const replicas = new Map<string, WebReplica>();
const key = randomBytes(32).toString('base64');

const [one, two, three] = ['127.0.2.1', '127.0.2.2', '127.0.2.3'] as const;
const urlOf = (address: string) => replicas.get(address)?.url ?? '';

beforeAll(async () => {
  versions = await buildVersions();
  redis = await startRedis(['--appendonly', 'no', '--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru']);
  edge = await startCaddy();
  browser = await chromium.launch({
    executablePath: chromiumPath() ?? 'chromium',
    args: ['--headless', '--no-sandbox'],
  });
  await Promise.all([serve('former', one), serve('former', two)]);
}, 900_000);

afterAll(async () => {
  await browser?.close();
  await Promise.all([...replicas.values()].map((replica) => replica.stop()));
  await edge?.stop();
  await redis?.stop();
  versions?.remove();
});

async function serve(version: Version, address: string, more: Record<string, string> = {}): Promise<WebReplica> {
  const replica = await startWeb(versions.serve[version], address, {
    PORT: String(edge.ports.web),
    REDIS_URL: redis.url,
    NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: key,
    ...more,
  });
  replicas.set(address, replica);
  return replica;
}

const text = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init);
  expect(response.status, url).toBe(200);
  return await response.text();
};
const drawnOn = async (address: string) => /id="drawn">([^<]+)</.exec(await text(`${urlOf(address)}/fixture`))?.[1];
const keptOn = (address: string) => text(`${urlOf(address)}/fixture/kept`);
const expire = (address: string, tag = '') => text(`${urlOf(address)}/fixture/expire?tag=${tag}`, { method: 'POST' });

/** Caddy sends browsers to this one alone, once it has asked DNS again. */
async function route(address: string): Promise<void> {
  edge.names.set('web', [address]);
  let others = 0;
  await expect
    .poll(
      async () => {
        const ran = await fetch(`${edge.origin}/fixture/expire?tag=nobody`, { method: 'POST' }).then(
          (response) => response.text(),
          () => '',
        );
        others = ran === address ? others + 1 : 0;
        return others >= 3;
      },
      { timeout: 60_000, interval: 400 },
    )
    .toBe(true);
}

/**
 * What the cache answers a moment too late is made anew, and for a second all that follows. Such a round says nothing: the
 * whole of it is gone through again.
 */
const untilHolds = (round: () => Promise<void>) => vi.waitFor(round, { timeout: 60_000, interval: 200 });

/** A tab of the former version, whose page the first replica made. */
async function openTab(): Promise<{ page: Page; version(): Promise<string>; close(): Promise<void> }> {
  await route(one);
  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await page.goto(`${edge.origin}/fixture`, { waitUntil: 'networkidle' });
  await isReady(page);
  const version = () => page.evaluate<string>('NEXT_DEPLOYMENT_ID');
  expect(await version()).toBe('former');
  return { page, version, close: () => context.close() };
}

/** A click before that is lost. */
const isReady = (page: Page) => page.waitForSelector('section[data-ready]');

it('what one replica made the other serves, data and whole answers', async () => {
  // The first time a tag is seen, nothing that was begun before counts.
  await keptOn(one);
  await untilHolds(async () => {
    const [drawn, kept] = [await drawnOn(one), await keptOn(one)];
    expect(drawn).toMatch(/^[0-9a-f-]{36}$/);
    for (const address of [two, one, two]) {
      expect(await drawnOn(address)).toBe(drawn);
      expect(await keptOn(address)).toBe(kept);
    }
  });
});

it('what one replica expires is new on both, and the same', async () => {
  const seenOn = async (address: string) => ({ drawn: await drawnOn(address), kept: await keptOn(address) });
  await untilHolds(async () => {
    const before = await seenOn(one);
    expect(await seenOn(two)).toEqual(before);
    await expire(two, 'drawn');
    await expire(two);
    const after = await seenOn(one);
    expect(after.drawn).not.toBe(before.drawn);
    expect(after.kept).not.toBe(before.kept);
    expect(await seenOn(two)).toEqual(after);
  });
});

it("an action runs on another replica than made its page, reads what the page closed over, and expires both's data", async () => {
  const { page, close } = await openTab();
  await route(two);
  await untilHolds(async () => {
    const before = await drawnOn(two);
    expect(await drawnOn(one)).toBe(before);
    const isAction = (response: Response) => response.request().method() === 'POST';
    await Promise.all([page.waitForResponse(isAction), page.click('text=Draw')]);
    await expect.poll(() => page.textContent('output')).toBe(`made by ${one}, ran on ${two}`);
    const after = await drawnOn(one);
    expect(after).not.toBe(before);
    expect(await drawnOn(two)).toBe(after);
  });
  await close();
});

it('the key is the installation’s: another cannot read what a page closed over, and one that is none is refused', async () => {
  const odd = await serve('former', three, { NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: randomBytes(32).toString('base64') });
  const { page, close } = await openTab();
  await route(three);
  const answered = page.waitForResponse((response) => response.request().method() === 'POST');
  await page.click('text=Draw');
  expect((await answered).status()).toBe(500);
  await close();
  await odd.stop();
  const refused = await serve('former', three, { NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: 'c2hvcnQ=' });
  expect(await refused.ended).toBe(1);
  expect(refused.said()).toContain('NEXT_SERVER_ACTIONS_ENCRYPTION_KEY must be 32 bytes in base64');
});

it('a cache that hangs or is away fails no page, and what expired meanwhile is not served when it is back', async () => {
  const before = await drawnOn(one);
  process.kill(redis.pid(), 'SIGSTOP');
  const startedAt = performance.now();
  for (let n = 0; n < 10; n++) expect(await drawnOn(one)).not.toBe(before);
  expect(performance.now() - startedAt).toBeLessThan(30_000);
  await expire(two, 'drawn');
  process.kill(redis.pid(), 'SIGCONT');
  // Told by the replica that could not tell it then, without being asked for anything.
  await expect.poll(() => drawnOn(one), { timeout: 60_000, interval: 500 }).not.toBe(before);
  const areSame = async () => (await drawnOn(one)) === (await drawnOn(two));
  await expect.poll(areSame, { timeout: 60_000 }).toBe(true);
  expect(await drawnOn(one)).not.toBe(before);

  await redis.restart(1_500, { whileDown: async () => void (await drawnOn(one)) });
  await expect.poll(areSame, { timeout: 60_000 }).toBe(true);
});

it('while a new version takes over, either replica has the files of both', async () => {
  await replicas.get(two)?.stop();
  await serve('next', two);
  for (const [page, other] of [
    [one, two],
    [two, one],
  ] as const) {
    const html = await text(`${urlOf(page)}/fixture`);
    const files = [...new Set(html.match(/\/_next\/static\/[^"'\\ ]+\.(?:js|css|woff2)/g))];
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      await untilHolds(async () => {
        const [own, others] = await Promise.all([urlOf(page), urlOf(other)].map((url) => fetch(url + file)));
        expect(others?.status, file).toBe(200);
        expect(others?.headers.get('content-type')).toBe(own?.headers.get('content-type'));
        expect(await others?.text()).toBe(await own?.text());
      });
    }
  }
  for (const path of ['/_next/static/../server.js', '/_next/static/%2e%2e/server.js', '/_next/static/chunks/no.js']) {
    expect((await fetch(urlOf(one) + path)).status, path).toBe(404);
  }
});

it('an action of a tab from before the deploy works after it', async () => {
  const { page, version, close } = await openTab();
  await route(two);
  await page.click('text=Draw');
  await expect.poll(() => page.textContent('output')).toBe(`made by ${one}, ran on ${two}`);
  expect(await version()).toBe('former');
  await close();
});

it('an old tab still gets what it loads late, and goes on in the new version at its next page', async () => {
  const attempt = async () => {
    const { page, version, close } = await openTab();
    try {
      await route(two);
      await page.click('text=Late');
      expect(await page.textContent('#late', { timeout: 20_000 })).toBe('loaded late, former');
      expect(await version()).toBe('former');
      await page.click('text=Sign in');
      await page.waitForURL('**/sign-in');
      await expect.poll(version).toBe('next');
      expect(await page.textContent('h1')).not.toContain('could not be shown');
    } finally {
      await close();
    }
  };
  // A file that the cache hands out too late is nowhere, and such a tab reloads: that is the next test's.
  await vi.waitFor(attempt, { timeout: 200_000, interval: 200 });
});

it('an old tab that asks for what is nowhere any more reloads, and shows no broken page', async () => {
  for (const button of ['Gone', 'Late']) {
    const { page, version, close } = await openTab();
    const shown: string[] = [];
    await page.exposeFunction('noteShown', (words: string) => shown.push(words));
    await page.evaluate(`new MutationObserver(() => {
      const alert = document.querySelector('[role=alert]')?.textContent;
      if (alert) window.noteShown(alert);
    }).observe(document.body, { childList: true, subtree: true })`);
    await route(two);
    await forgetFiles();
    await page.click(`text=${button}`);
    await expect.poll(() => version().catch(() => undefined), { timeout: 60_000 }).toBe('next');
    await isReady(page);
    expect(shown, button).toEqual([]);
    // What the new version has works.
    await page.click('text=Late');
    expect(await page.textContent('#late')).toBe('loaded late, next');
    await close();
  }
});

it('no image carries the key, and no replica says it', () => {
  for (const serveFile of Object.values(versions.serve)) {
    const manifest = join(dirname(serveFile), '.next/server/server-reference-manifest.json');
    expect(readFileSync(manifest, 'utf8')).not.toContain(key);
  }
  for (const replica of replicas.values()) expect(replica.said()).not.toContain(key);
});

it('from Caddy over the web to the API, everyone counts the address that connected, whatever it claims', async () => {
  const api = await startApiBehind('127.0.3.1', edge.ports.api, edge.origin);
  try {
    await replicas.get(one)?.stop();
    await serve('next', one, { API_INTERNAL_URL: api.url });
    // As on a laptop: browsers connect to it, and it passes the API on.
    const front = await serve('next', three, { API_INTERNAL_URL: api.url, TRUSTED_PROXY_HOPS: '0' });
    edge.names.set('api', ['127.0.3.1']);
    await route(one);
    await expect
      .poll(async () => (await fetch(`${edge.origin}/api/accounts/me`)).status, { timeout: 60_000 })
      .toBe(401);
    const person = { email: 'ada@acme.test', password: 'correct horse battery' };
    const signUp = { ...person, name: 'Ada' };
    expect((await sendFrom('127.0.0.61', edge.origin, '/api/accounts/sign-up', signUp)).status).toBe(202);
    await api.confirm(person.email);

    // A line of the log may come after the answer that it is about.
    const logged = (path: string, atLeast: number) =>
      expect.poll(() => api.addressesOf(path).length, { timeout: 60_000 }).toBeGreaterThanOrEqual(atLeast);
    let signIns = 0;
    for (const [base, from] of [
      [edge.origin, '127.0.0.62'],
      [edge.origin, '127.0.0.62'],
      [urlOf(one), '127.0.0.63'],
      [front.url, '127.0.0.64'],
    ] as const) {
      // A replica behind Caddy believes its one proxy, which is why only Caddy may reach it.
      const proxied = base === urlOf(one);
      const answer = await sendFrom(from, base, '/api/accounts/sign-in', person, proxied ? [from] : []);
      expect(answer.status, answer.body).toBe(200);
      await logged('/api/accounts/sign-in', ++signIns);
      expect(api.addressesOf('/api/accounts/sign-in').at(-1)).toBe(from);
      const uses = api.addressesOf('/api/accounts/sign-in').filter((address) => address === from).length;
      expect(answer.limit).toContain(`r=${60 - uses}`);
    }
    expect(await api.sessionAddresses(person.email)).toEqual(['127.0.0.62', '127.0.0.62', '127.0.0.63', '127.0.0.64']);

    // What a page asks of the API while it is made counts for whom it is made.
    const before = api.addressesOf('/api/accounts/me').length;
    await sendFrom('127.0.0.65', edge.origin, '/dashboard');
    await logged('/api/accounts/me', before + 1);
    const asked = api.addressesOf('/api/accounts/me').slice(before);
    expect(new Set(asked)).toEqual(new Set(['127.0.0.65']));
  } finally {
    await api.stop();
  }
});

interface Answer {
  status: number;
  limit: string;
  body: string;
}

/** From an address of its own, with made-up ones before what a proxy would add. */
function sendFrom(
  localAddress: string,
  base: string,
  path: string,
  body?: object,
  seen: string[] = [],
): Promise<Answer> {
  const text = body && JSON.stringify(body);
  const headers = {
    'x-forwarded-for': ['6.6.6.6', '7.7.7.7', ...seen].join(', '),
    'x-real-ip': '6.6.6.6',
    forwarded: 'for=6.6.6.6',
    cookie: 'ballast.session_token=nobody.nothing',
    ...(text && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), origin: edge.origin }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(base + path, { method: text ? 'POST' : 'GET', localAddress, headers }, async (response) => {
      const parts = await response.toArray();
      resolve({
        status: response.statusCode ?? 0,
        limit: String(response.headers.ratelimit ?? ''),
        body: Buffer.concat(parts).toString(),
      });
    });
    sent.once('error', reject).end(text);
  });
}

async function forgetFiles(): Promise<void> {
  const admin = new Redis(redis.url);
  const keys = await admin.keys('ballast:web:file:*');
  if (keys.length > 0) await admin.del(keys);
  admin.disconnect();
}
