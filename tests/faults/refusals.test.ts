/**
 * What a process refuses to start with: rows 14, 18 and 42 of the fault table. It ends
 * by itself, and names the store or the file.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { hasRedis, startRedis, type TestRedis } from '@ballast/test-kit/redis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { signedCookie } from '../../apps/api/src/testing/signed-cookie.ts';
import { killStarted, type Started, start, untilReady } from '../../apps/api/src/testing/start-process.ts';

const key = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=';
let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'ballast-refusals-'));
});
afterEach(killStarted);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await database.drop();
});

const settings = async (): Promise<Record<string, string>> => ({
  BALLAST_ENV: 'local',
  DATABASE_URL: database.appUrl,
  DATABASE_DISPATCHER_URL: database.dispatcherUrl,
  API_PORT: String(await freePort()),
  WORKER_PORT: String(await freePort()),
});

if (hasRedis()) {
  describe.each(['a worker', 'an API that leaves jobs to workers'])('%s refuses', { timeout: 120_000 }, (who) => {
    let evicting: TestRedis;
    let keeping: TestRedis;
    beforeAll(async () => {
      [evicting, keeping] = await Promise.all([startRedis(['--maxmemory-policy', 'allkeys-lru']), startRedis()]);
    });
    afterAll(() => Promise.all([evicting.stop(), keeping.stop()]));

    const refused = async (stores: Record<string, string>) => {
      const env = { ...(await settings()), AUTH_SECRET: key, ...stores };
      const started =
        who === 'a worker'
          ? start('workers-standalone', env)
          : start('main', { ...env, DISABLE_BACKGROUND_WORKERS: 'true' });
      expect(await started.exited, started.said()).toBe(1);
      return started.said();
    };

    test('a queue that evicts (row 14)', async () => {
      expect(await refused({ REDIS_QUEUE_URL: evicting.url })).toContain(
        'Jobs silently disappear: the Redis of REDIS_QUEUE_URL evicts (maxmemory-policy allkeys-lru). Set it to noeviction.',
      );
    });

    test('exchanged addresses (row 18)', async () => {
      expect(await refused({ REDIS_QUEUE_URL: evicting.url, REDIS_URL: keeping.url })).toContain(
        'The two are exchanged: swap them.',
      );
    });

    test('one evicting Redis for both (row 18)', async () => {
      expect(await refused({ REDIS_QUEUE_URL: evicting.url, REDIS_URL: `${evicting.url}/1` })).toContain(
        'REDIS_URL and REDIS_QUEUE_URL are one Redis, and it evicts (allkeys-lru).',
      );
    });
  });

  test('an API serves while both Redis are away, and refuses exchanged addresses when they answer (row 18)', async () => {
    const [evicting, keeping] = await Promise.all([startRedis(['--maxmemory-policy', 'allkeys-lru']), startRedis()]);
    const env: Record<string, string> = {
      ...(await settings()),
      AUTH_SECRET: key,
      DISABLE_BACKGROUND_WORKERS: 'true',
      REDIS_QUEUE_URL: evicting.url,
      REDIS_URL: keeping.url,
    };
    const startWithoutRedis = async () => {
      const started = start('main', env);
      const origin = await untilReady(env.API_PORT, started);
      expect((await fetch(`${origin}/health`)).status).toBe(200);
      return started;
    };
    let api: Started | undefined;
    await evicting.restart(0, {
      whileDown: () =>
        keeping.restart(0, {
          async whileDown() {
            api = await startWithoutRedis();
          },
        }),
    });
    expect(await api?.exited, api?.said()).toBe(1);
    expect(api?.said()).toContain('The two are exchanged: swap them.');
    await Promise.all([evicting.stop(), keeping.stop()]);
  }, 120_000);
}

describe('an API given a file for its secret', { timeout: 120_000 }, () => {
  const api = async (path: string) => {
    const env: Record<string, string> = {
      ...(await settings()),
      AUTH_SECRET_FILE: path,
      DISABLE_BACKGROUND_WORKERS: 'true',
    };
    return { env, started: start('main', env) };
  };

  test.each([
    ['missing', null, 'AUTH_SECRET_FILE'],
    ['empty', '', 'is set but empty'],
    ['a line break inside', `${key}\n${key}\n`, 'has a line break inside'],
    ['a byte order mark', `\ufeff${key}`, 'begins with a byte order mark'],
    ['a directory', 'directory', 'is a directory'],
  ])('refuses it by name: %s (row 42)', async (name, content, sentence) => {
    const path = join(folder, name.replaceAll(' ', '-'));
    if (content === 'directory') mkdirSync(path);
    else if (content !== null) writeFileSync(path, content);
    const { started } = await api(path);
    expect(await started.exited, started.said()).toBe(1);
    expect(started.said()).toContain(path);
    expect(started.said()).toContain(sentence);
    expect(started.said()).not.toContain(key);
  });

  test('takes it without the line break that an editor leaves at its end (row 42)', async () => {
    const path = join(folder, 'ending-in-a-line-break');
    writeFileSync(path, `${key}\r\n`);
    const { env, started } = await api(path);
    const origin = await untilReady(env.API_PORT, started);
    // The cookie is genuine only under the key without it; nobody has that session.
    const headers = { cookie: await signedCookie(key) };
    expect((await fetch(`${origin}/api/accounts/me`, { headers })).status).toBe(401);
  });
});
