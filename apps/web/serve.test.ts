import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundleReplica } from './bundle-replica.mjs';

/** Stands in for the built `server.js`: one port, whose answers take a while. */
const server = `
import http from 'node:http';
const draining = Symbol.for('ballast.web.draining');
http.createServer((request, response) => {
  const answer = () => response.end(JSON.stringify({
    forwardedFor: request.headers['x-forwarded-for'], id: request.headers['x-request-id'], draining: globalThis[draining] === true,
    home: process.env.PUBLIC_URL,
  }));
  if (request.url === '/slow') console.log('in flight');
  setTimeout(answer, request.url === '/slow' ? 500 : request.url === '/stuck' ? 60_000 : 0);
}).listen(0, process.env.HOSTNAME, function () { console.log('port ' + this.address().port); });
`;

/** The real one, alone, without a cache; tests/edge has it with one. */
const replica = path.join(mkdtempSync(path.join(tmpdir(), 'ballast-replica-')), 'replica.mjs');
beforeAll(() => bundleReplica(replica));
afterAll(() => rmSync(path.dirname(replica), { recursive: true }));

const started: { child: ChildProcess; folder: string }[] = [];

afterEach(() => {
  for (const { child, folder } of started.splice(0)) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

function run(env: Record<string, string>) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ballast-serve-'));
  copyFileSync(path.join(import.meta.dirname, 'serve.mjs'), path.join(folder, 'serve.mjs'));
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(path.join(folder, 'server.js'), server);
  mkdirSync(path.join(folder, 'dist'));
  copyFileSync(replica, path.join(folder, 'dist/replica.mjs'));
  const child = spawn(process.execPath, [path.join(folder, 'serve.mjs')], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push({ child, folder });
  const said = async (pattern: RegExp, on: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> => {
    for await (const [chunk] of chunks(child, on)) {
      const match = pattern.exec(String(chunk));
      if (match) return match;
    }
    throw new Error(`never said ${pattern}`);
  };
  return { child, said };
}

async function start(env: Record<string, string> = {}) {
  const { child, said } = run(env);
  const [, port] = await said(/port (\d+)/);
  return { child, said, url: `http://127.0.0.1:${port}` };
}

async function* chunks(child: ChildProcess, name: 'stdout' | 'stderr') {
  for (let stream = child[name]; stream; stream = child[name]) yield (await once(stream, 'data')) as [Buffer];
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

describe('its settings', () => {
  const file = (text: string) => {
    const place = path.join(path.dirname(replica), `setting-${text.length}`);
    writeFileSync(place, `${text}\n`);
    return place;
  };

  it('can be files, as the API’s can', async () => {
    const { url } = await start({
      PUBLIC_URL_FILE: file('https://app.ballast.example'),
      TRUSTED_PROXY_HOPS_FILE: file('1'),
    });
    const answer = await (await fetch(url, { headers: { 'x-forwarded-for': '203.0.113.9' } })).json();
    expect(answer).toMatchObject({ home: 'https://app.ballast.example', forwardedFor: '203.0.113.9' });
  });

  it('are refused by their names, all at once', async () => {
    const { child, said } = run({ TRUSTED_PROXY_HOPS: 'two', SHUTDOWN_GRACE_MS: '-1', PUBLIC_URL_FILE: '/nowhere' });
    const ended = once(child, 'exit');
    await said(
      /^PUBLIC_URL_FILE \(\/nowhere\) does not exist\.\nTRUSTED_PROXY_HOPS must be .* 0 to 10\.\nSHUTDOWN_GRACE_MS must be /,
      'stderr',
    );
    expect(await ended).toEqual([1, null]);
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
  const { child, url } = await start({ SHUTDOWN_DELAY_MS: '5000' });
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
  await expect.poll(async () => (await get()).connection, { interval: 20 }).toBe('close');
  await expect(fetch(url)).rejects.toThrow();
  expect(await ended).toEqual([0, null]);
});

it('answers what comes over a connection that was dialled long before, and ends beside one on which nothing comes', async () => {
  const { child, url } = await start({ SHUTDOWN_GRACE_MS: '60000' });
  const dialled = () => connect(Number(new URL(url).port), '127.0.0.1');
  const [early, silent] = [dialled(), dialled()];
  let text = '';
  early.on('data', (data) => {
    text += data;
  });
  for (const socket of [early, silent]) socket.on('error', () => {});
  await new Promise((resolve) => setTimeout(resolve, 9_500));
  early.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await expect.poll(() => text).toMatch(/^HTTP\/1.1 200 /);
  early.destroy();
  const ended = once(child, 'exit');
  const startedAt = Date.now();
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(Date.now() - startedAt).toBeLessThan(30_000);
});

it('ends when the grace is over, whoever is still waiting', async () => {
  const { child, url } = await start({ SHUTDOWN_GRACE_MS: '300' });
  const stuck = fetch(`${url}/stuck`).catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 100));
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(await stuck).toBeInstanceOf(Error);
});
