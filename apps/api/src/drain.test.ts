import { Agent, get } from 'node:http';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { killStarted, start, untilReady } from './testing/start-process.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
afterEach(killStarted);

const delayMs = 15_000;

/** Eight connections that are kept, as a balancer keeps them. */
function openLoad(origin: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const answers: { at: number; status: number; connection: string | undefined }[] = [];
  const failures: Error[] = [];
  let routed = true;
  const send = () =>
    new Promise<void>((resolve) => {
      const request = get(`${origin}/api/accounts/me`, { agent }, (response) => {
        const { statusCode: status = 0, headers } = response;
        answers.push({ at: performance.now(), status, connection: headers.connection });
        response.resume().once('end', resolve);
      });
      request.once('error', (error) => {
        failures.push(error);
        resolve();
      });
    });
  const loop = async () => {
    while (routed) await send();
  };
  const loops = Promise.all(Array.from({ length: 8 }, loop));
  return {
    answers,
    failures,
    async stop() {
      routed = false;
      await loops;
      agent.destroy();
    },
  };
}

it('serves on for the delay after SIGTERM, and fails no request of whoever heeds /readyz', async () => {
  const port = String(await freePort());
  const api = start('main', {
    BALLAST_ENV: 'local',
    DATABASE_URL: database.appUrl,
    AUTH_SECRET: 'a-secret-of-the-tests-that-is-long-enough',
    DISABLE_BACKGROUND_WORKERS: 'true',
    API_PORT: port,
    SHUTDOWN_DELAY_MS: String(delayMs),
    SHUTDOWN_GRACE_MS: '5000',
  });
  const origin = await untilReady(port, api);
  const load = openLoad(origin);
  await expect.poll(() => load.answers.length, { timeout: 60_000 }).toBeGreaterThan(200);

  const toldAt = performance.now();
  api.child.kill('SIGTERM');
  await expect.poll(async () => (await fetch(`${origin}/readyz`)).status, { interval: 50, timeout: 10_000 }).toBe(503);
  // A balancer asks once a second, and sends as before meanwhile.
  const late = () => load.answers.filter(({ at }) => at > toldAt + 1_000);
  await expect.poll(() => late().length, { timeout: delayMs }).toBeGreaterThan(20);
  await load.stop();
  expect(performance.now() - toldAt, 'the machine was too slow for this test').toBeLessThan(delayMs);
  // Also who has not heard of it yet is served.
  expect((await fetch(`${origin}/livez`)).status).toBe(200);

  expect(await api.exited).toBe(0);
  expect(performance.now() - toldAt).toBeGreaterThan(delayMs);
  expect(load.failures).toEqual([]);
  expect(load.answers.filter(({ status }) => status !== 401).slice(0, 3)).toEqual([]);
  // Whoever has not heard of it keeps its connections: told to close them, it would only dial again.
  expect(late().filter(({ connection }) => connection === 'close').length).toBe(0);
});
