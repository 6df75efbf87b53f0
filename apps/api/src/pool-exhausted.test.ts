import { resolve } from 'node:path';
import { createTestDatabase, onServer, type TestDatabase } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../cli/src/run.ts';
import { signedCookie } from './testing/signed-cookie.ts';
import { killStarted, start, untilReady } from './testing/start-process.ts';

const key = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
afterEach(killStarted);

const settings = () => ({
  BALLAST_ENV: 'local',
  DATABASE_URL: database.appUrl,
  AUTH_SECRET: key,
  DISABLE_BACKGROUND_WORKERS: 'true',
  // Far from how long anybody waits for a connection.
  REQUEST_TIMEOUT_MS: '60000',
});

async function startApi() {
  const port = String(await freePort());
  return untilReady(port, start('main', { ...settings(), API_PORT: port }));
}

const healthy = (origin: string) =>
  expect.poll(async () => (await fetch(`${origin}/health`)).status, { timeout: 30_000 }).toBe(200);

/** What doctor says beside this API of its pools. */
async function toldByDoctor(): Promise<{ symptom: string; evidence: string[] }[]> {
  const said: string[] = [];
  const root = resolve(import.meta.dirname, '../../..');
  const env = { ...settings(), BALLAST_DATA: '/nowhere' };
  const out = (text: string) => said.push(text);
  await run(['doctor', '--json'], { root, secretsDirectory: '/nowhere', env, out, err: out });
  const { findings } = JSON.parse(said.join('\n')) as {
    findings: { code: string; symptom: string; evidence: string[] }[];
  };
  return findings.filter(({ code }) => code === 'database.pool_exhausted');
}

describe('every connection of the pool taken (row 22)', () => {
  it('is told to whoever waits long before their deadline, with when to come back; health is not fooled', async () => {
    const origin = await startApi();
    const cookie = await signedCookie(key);
    const ask = async () => {
      const askedAt = performance.now();
      const response = await fetch(`${origin}/api/accounts/me`, { headers: { cookie } });
      const body = (await response.json()) as { code?: string };
      const ms = performance.now() - askedAt;
      return { status: response.status, code: body.code, retryAfter: response.headers.get('retry-after'), ms };
    };
    expect(await toldByDoctor()).toEqual([]);
    await onServer(database.adminUrl, async (admin) => {
      const lock = await admin.reserve();
      await lock`begin`;
      await lock`lock table accounts.session in access exclusive mode`;
      // The pool for identity has five connections: these hold them.
      const holders = Array.from({ length: 5 }, ask);
      const waiting = () => lock<{ held: number }[]>`
        select count(*)::int as held from pg_locks where not granted and relation = 'accounts.session'::regclass`;
      await expect.poll(async () => (await waiting())[0]?.held, { timeout: 30_000 }).toBe(5);
      const refused = await Promise.all(Array.from({ length: 20 }, ask));
      for (const answer of refused) {
        expect(answer).toMatchObject({ status: 503, code: 'database.busy', retryAfter: '2' });
        // Their deadline is a minute away.
        expect(answer.ms).toBeLessThan(30_000);
      }
      await healthy(origin);
      await expect.poll(toldByDoctor, { timeout: 30_000 }).toMatchObject([
        {
          symptom: 'API 503 database.busy',
          evidence: [
            expect.stringMatching(/^ballast-api-auth at 127\.0\.0\.1: 5 connections busy/),
            expect.any(String),
          ],
        },
      ]);
      await lock`rollback`;
      for (const answer of await Promise.all(holders)) expect(answer.status).toBe(401);
      expect((await ask()).status).toBe(401);
    });
  });

  it('is not called an outage by /health when it is the server that has none left', async () => {
    const origin = await startApi();
    await onServer(database.adminUrl, async (admin) => {
      await admin.unsafe(`alter database ${database.name} connection limit 0`);
      try {
        await admin`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = ${database.name} and usename = 'ballast_app'`;
        await expect
          .poll(async () => ((await (await fetch(`${origin}/health`)).json()) as { code: string }).code, {
            timeout: 30_000,
          })
          .toBe('database.busy');
      } finally {
        await admin.unsafe(`alter database ${database.name} connection limit -1`);
      }
    });
    await healthy(origin);
  });
});
