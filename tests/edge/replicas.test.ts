import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killStarted, type Started, start, untilReady } from '../../apps/api/src/testing/start-process.ts';
import { type Edge, startCaddy, untilStatus } from './harness/caddy.ts';

let database: TestDatabase;
let edge: Edge;
const running = new Map<string, Started>();

beforeAll(async () => {
  database = await createTestDatabase();
  edge = await startCaddy();
  await startApi('127.0.1.1');
  edge.names.set('api', ['127.0.1.1']);
  await untilStatus(`${edge.origin}/api/accounts/me`, 401);
});
afterAll(async () => {
  killStarted();
  await edge?.stop();
  await database?.drop();
});

async function startApi(address: string): Promise<void> {
  const api = start('main', {
    BALLAST_ENV: 'local',
    DATABASE_URL: database.appUrl,
    AUTH_SECRET: 'a-secret-of-the-tests-that-is-long-enough',
    DISABLE_BACKGROUND_WORKERS: 'true',
    LOG_LEVEL: 'warn',
    API_HOST: address,
    API_PORT: String(edge.ports.api),
    TRUSTED_PROXY_HOPS: '1',
    SHUTDOWN_DELAY_MS: '2000',
    SHUTDOWN_GRACE_MS: '5000',
  });
  running.set(address, api);
  await untilReady(String(edge.ports.api), api, address);
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

function send(
  method: string,
  path: string,
  body = '',
  headers: Record<string, string> = {},
  localAddress = '127.0.0.1',
) {
  return new Promise<Answer>((resolve, reject) => {
    const options = { host: '127.0.0.1', port: edge.port, method, path, localAddress, agent };
    const type = body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request({ ...options, headers: { ...type, ...headers } }, (response) => {
      let text = '';
      response.on('data', (data) => {
        text += data;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Reads and writes without a pause; a write that is refused for its form has reached a replica too. */
function openLoad() {
  const statuses = new Map<string, number>();
  let on = true;
  const count = (what: string) => statuses.set(what, (statuses.get(what) ?? 0) + 1);
  const loop = async (n: number) => {
    while (on) {
      const method = n % 2 === 0 ? 'GET' : 'POST';
      const sent = method === 'GET' ? send('GET', '/api/accounts/me') : send('POST', '/api/support/requests', '{}');
      await sent
        .then(({ status }) => count(`${method} ${status}`))
        .catch((error: Error) => count(`${method} ${error.message}`));
      await wait(5);
    }
  };
  const loops = Promise.all(Array.from({ length: 8 }, (_, n) => loop(n)));
  return {
    async stop() {
      on = false;
      await loops;
      return statuses;
    },
  };
}

it('replicas come and go under load, and no request fails', async () => {
  const load = openLoad();
  // Known by name before it listens, as a container is.
  edge.names.set('api', ['127.0.1.1', '127.0.1.2']);
  await startApi('127.0.1.2');
  await wait(2_000);
  for (const [leaving, staying] of [
    ['127.0.1.1', '127.0.1.2'],
    ['127.0.1.2', '127.0.1.1'],
  ] as const) {
    const replica = running.get(leaving);
    replica?.child.kill('SIGTERM');
    expect(await replica?.exited).toBe(0);
    // Docker forgets a name once its container has ended.
    await wait(300);
    edge.names.set('api', [staying]);
    await wait(1_500);
    if (leaving === '127.0.1.1') {
      await startApi('127.0.1.1');
      edge.names.set('api', ['127.0.1.1', '127.0.1.2']);
      await wait(2_000);
    }
  }
  const statuses = await load.stop();
  expect([...statuses.keys()].sort()).toEqual(['GET 401', 'POST 401']);
  for (const count of statuses.values()) expect(count).toBeGreaterThan(200);
});

it('a replica that is killed fails no read', async () => {
  await startApi('127.0.1.2');
  edge.names.set('api', ['127.0.1.1', '127.0.1.2']);
  await wait(1_500);
  const load = openLoad();
  await wait(1_000);
  running.get('127.0.1.2')?.child.kill('SIGKILL');
  await wait(4_000);
  const statuses = await load.stop();
  edge.names.set('api', ['127.0.1.1']);
  expect([...statuses.keys()].filter((what) => what.startsWith('GET'))).toEqual(['GET 401']);
  // A write that was under way is not repeated: it may have been done.
  const lost = [...statuses].filter(([what]) => what.startsWith('POST') && what !== 'POST 401');
  expect(lost.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(4);
});

it('limits are counted by the address of whoever connected, whatever they claim', async () => {
  const signIn = (claimed: string, localAddress: string) =>
    send(
      'POST',
      '/api/accounts/sign-in',
      JSON.stringify({ email: `${claimed}@acme.test`, password: 'wrong wrong wrong' }),
      { 'x-forwarded-for': claimed, 'x-real-ip': claimed, forwarded: `for=${claimed}` },
      localAddress,
    );
  const left = [];
  for (const claimed of ['6.6.6.6', '7.7.7.7', '8.8.8.8']) {
    left.push((await signIn(claimed, '127.0.0.77')).headers.ratelimit);
  }
  expect(left.map((text) => /;r=(\d+)/.exec(String(text))?.[1])).toEqual(['59', '58', '57']);
  expect((await signIn('6.6.6.6', '127.0.0.78')).headers.ratelimit).toContain('r=59');
});

it('huge, deep and compressed bodies are refused, and memory stays as it was', async () => {
  const sizes = () => [edge.pid, running.get('127.0.1.1')?.child.pid ?? 0].map(residentMegabytes);
  const post = (body: Buffer | string, headers: Record<string, string> = {}) =>
    fetch(`${edge.origin}/api/accounts/sign-in`, {
      method: 'POST',
      body: typeof body === 'string' ? body : new Uint8Array(body),
      headers: { 'content-type': 'application/json', ...headers },
    }).then(
      ({ status }) => status,
      () => 'cut',
    );
  await post('{}');
  const before = sizes();
  const huge = Buffer.alloc(40 * 1024 * 1024, 'x');
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
  for (let round = 0; round < 5; round++) {
    // Refused by its length before it was sent: the caller hears 413, or finds the connection closed while it sends.
    expect([413, 'cut']).toContain(await post(huge));
    expect(await post(deep)).toBe(400);
    expect(await post(bomb, { 'content-encoding': 'gzip' })).toBe(415);
  }
  expect(await post(Buffer.alloc(2 * 1024 * 1024, 'x'))).toBe(413);
  const after = sizes();
  for (const [n, megabytes] of after.entries()) expect(megabytes - (before[n] ?? 0)).toBeLessThan(100);
});

function residentMegabytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
