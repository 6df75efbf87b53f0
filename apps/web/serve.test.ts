import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

/** Stands in for the built `server.js`: one port, whose answers take a while. */
const server = `
import http from 'node:http';
const draining = Symbol.for('ballast.web.draining');
http.createServer((request, response) => {
  const answer = () => response.end(JSON.stringify({
    forwardedFor: request.headers['x-forwarded-for'], id: request.headers['x-request-id'], draining: globalThis[draining] === true,
  }));
  if (request.url === '/slow') console.log('in flight');
  setTimeout(answer, request.url === '/slow' ? 500 : request.url === '/stuck' ? 60_000 : 0);
}).listen(0, process.env.HOSTNAME, function () { console.log('port ' + this.address().port); });
`;

/** Alone, without a cache; tests/edge has it with one. */
const replica = 'export const openReplica = async () => ({ answer: async () => false });';

const started: { child: ChildProcess; folder: string }[] = [];

afterEach(() => {
  for (const { child, folder } of started.splice(0)) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

async function start(env: Record<string, string> = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ballast-serve-'));
  copyFileSync(path.join(import.meta.dirname, 'serve.mjs'), path.join(folder, 'serve.mjs'));
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(path.join(folder, 'server.js'), server);
  mkdirSync(path.join(folder, 'dist'));
  writeFileSync(path.join(folder, 'dist/replica.mjs'), replica);
  const child = spawn(process.execPath, [path.join(folder, 'serve.mjs')], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push({ child, folder });
  const said = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for await (const [chunk] of on(child)) {
      const match = pattern.exec(String(chunk));
      if (match) return match;
    }
    throw new Error(`never said ${pattern}`);
  };
  const [, port] = await said(/port (\d+)/);
  return { child, said, url: `http://127.0.0.1:${port}` };
}

async function* on(child: ChildProcess) {
  while (child.stdout) yield (await once(child.stdout, 'data')) as [Buffer];
}

describe('whose request it is', () => {
  const seen = async (env: Record<string, string>, forwardedFor?: string) => {
    const { url } = await start(env);
    const headers = { 'x-request-id': 'made-up-0001', ...(forwardedFor && { 'x-forwarded-for': forwardedFor }) };
    return await (await fetch(url, { headers })).json();
  };

  it('without a proxy: who connected, whatever they claim', async () => {
    expect(await seen({})).toMatchObject({ forwardedFor: '127.0.0.1' });
    const claimed = await seen({}, '203.0.113.9');
    expect(claimed).toMatchObject({ forwardedFor: '127.0.0.1' });
    expect(claimed).not.toHaveProperty('id');
  });

  it.each([
    ['one proxy: whom it saw', '1', '6.6.6.6, 203.0.113.9', '203.0.113.9'],
    ['two proxies: whom the first saw', '2', '6.6.6.6, 203.0.113.9, 10.0.0.8', '203.0.113.9'],
    ['a port', '1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['no address', '1', 'unknown', '127.0.0.1'],
    ['a proxy that says nothing', '1', undefined, '127.0.0.1'],
  ])('%s', async (_case, hops, forwardedFor, expected) => {
    const answer = await seen({ TRUSTED_PROXY_HOPS: hops }, forwardedFor);
    expect(answer).toMatchObject({ forwardedFor: expected, id: 'made-up-0001' });
  });
});

it('finishes what is in flight, then ends by itself, well before its grace is over', async () => {
  const { child, said, url } = await start();
  const answer = fetch(`${url}/slow`);
  await said(/in flight/);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect((await answer).status).toBe(200);
  expect(await ended).toEqual([0, null]);
  await expect(fetch(url)).rejects.toThrow();
});

it('keeps answering for the delay, says that it drains, and closes a kept connection only once it accepts no other', async () => {
  const { child, url } = await start({ SHUTDOWN_DELAY_MS: '700' });
  const ended = once(child, 'exit');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const get = () =>
    new Promise<{ connection: string | undefined; body: string }>((resolve, reject) => {
      http
        .get(url, { agent }, async (response) => {
          const body = (await response.toArray()).join('');
          resolve({ connection: response.headers.connection, body });
        })
        .once('error', reject);
    });
  child.kill('SIGTERM');
  await expect.poll(async () => (await get()).body, { interval: 20 }).toContain('"draining":true');
  expect((await get()).connection).toBe('keep-alive');
  const refused = () =>
    fetch(url, { headers: { connection: 'close' } }).then(
      () => false,
      () => true,
    );
  await expect.poll(refused, { interval: 20, timeout: 5_000 }).toBe(true);
  expect((await get()).connection).toBe('close');
  expect(await ended).toEqual([0, null]);
});

it('ends when the grace is over, whoever is still waiting', async () => {
  const { child, url } = await start({ SHUTDOWN_GRACE_MS: '300' });
  const stuck = fetch(`${url}/stuck`).catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 100));
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(await stuck).toBeInstanceOf(Error);
});
