/** Latency, stalls and resets between an API and its Postgres: row 25 of the fault table. Deadlines hold, and nobody storms. */
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { startStopwatch } from '@ballast/test-kit/stopwatch';
import { openTcpProxy, type TcpProxy } from '@ballast/test-kit/tcp-proxy';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signedCookie } from '../../apps/api/src/testing/signed-cookie.ts';
import { killStarted, start, untilReady } from '../../apps/api/src/testing/start-process.ts';

const key = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=';
/** Of the API, for identity: as many connections may be opened at once. */
const connectionsOfIdentity = 5;
const requestTimeoutMs = 4_000;

let database: TestDatabase;
let proxy: TcpProxy;
let origin: string;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await openTcpProxy(database.appUrl);
  const port = String(await freePort());
  const api = start('main', {
    BALLAST_ENV: 'local',
    DATABASE_URL: proxy.url,
    AUTH_SECRET: key,
    API_PORT: port,
    REQUEST_TIMEOUT_MS: String(requestTimeoutMs),
    DISABLE_BACKGROUND_WORKERS: 'true',
  });
  origin = await untilReady(port, api);
}, 120_000);
afterAll(async () => {
  killStarted();
  await proxy.close();
  await database.drop();
});

/** Looks a session up that nobody has: 401 says that Postgres was asked. */
async function ask() {
  const watch = startStopwatch();
  const response = await fetch(`${origin}/api/accounts/me`, { headers: { cookie: await signedCookie(key) } });
  const body = (await response.json()) as { code: string; requestId: string };
  return { status: response.status, ...body, ms: watch.stop() };
}

const many = (count: number) => Promise.all(Array.from({ length: count }, ask));

const answersAgain = () => expect.poll(async () => (await ask()).status, { timeout: 30_000, interval: 100 }).toBe(401);

describe('a link to Postgres', { timeout: 120_000 }, () => {
  test('of 300 ms in each direction is slow, and every request is answered for what it is (row 25)', async () => {
    // Slow enough that each opens a connection of its own.
    proxy.delay(50);
    await many(connectionsOfIdentity);
    proxy.delay(300);
    const answers = await many(connectionsOfIdentity);
    proxy.delay(0);
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.ms).toBeGreaterThan(600);
      expect(answer.ms).toBeLessThan(requestTimeoutMs);
    }
  });

  test('that stalls costs nobody more than the deadline, and opens no connections without end (row 25)', async () => {
    const before = proxy.accepted();
    proxy.freeze();
    const answers = (
      await Promise.all([many(20), new Promise((later) => setTimeout(later, 500)).then(() => many(20))])
    ).flat();
    for (const answer of answers) {
      expect([503, 504]).toContain(answer.status);
      expect(answer.code).toMatch(/^(database\.(busy|unreachable)|request\.timeout)$/);
      expect(answer.requestId).toBeTruthy();
      expect(answer.ms).toBeLessThan(requestTimeoutMs + 2_000);
    }
    proxy.thaw();
    await answersAgain();
    // Each of the pool's may be replaced, and each once more when its successor is as silent; forty requests opened no forty.
    expect(proxy.accepted() - before).toBeLessThanOrEqual(4 * connectionsOfIdentity);
  });

  test('that is reset under requests is opened again within a second, not by every request (row 25)', async () => {
    const before = proxy.accepted();
    proxy.delay(300);
    const asked = many(20);
    await new Promise((later) => setTimeout(later, 200));
    proxy.reset();
    proxy.delay(0);
    for (const answer of await asked) {
      expect([401, 503]).toContain(answer.status);
      expect(answer.ms).toBeLessThan(requestTimeoutMs);
    }
    await answersAgain();
    expect(proxy.accepted() - before).toBeLessThanOrEqual(4 * connectionsOfIdentity);
  });
});
