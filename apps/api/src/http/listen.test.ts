import { once } from 'node:events';
import { connect } from 'node:net';
import type { Env } from '@ballast/http';
import { startStopwatch } from '@ballast/test-kit/stopwatch';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { listen } from './listen.ts';

const local = { host: '127.0.0.1', port: 0, portSetting: 'API_PORT' };

/** An app whose one slow route ends when the test says so. */
function slowApp() {
  let finish = () => {};
  let reached = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const app = new Hono<Env>()
    .get('/fast', (c) => c.text('fast'))
    .get('/slow', async (c) => {
      reached();
      await finished;
      return c.text('finished');
    });
  return { app, finish, begun };
}

/** A connection on which nothing has been sent yet. */
function dial(port: number) {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  socket.on('error', () => {});
  return { socket, said: () => text, closed: once(socket, 'close') };
}

/** Sends text, waiting where a number stands, until the server closes. */
async function raw(port: number, ...parts: (string | number)[]): Promise<{ text: string; ms: number }> {
  const watch = startStopwatch();
  const { socket, said, closed } = dial(port);
  for (const part of parts) {
    if (!socket.writable) break;
    if (typeof part === 'string') socket.write(part);
    else await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, part))]);
  }
  await closed;
  return { text: said(), ms: watch.stop() };
}

describe('listen', () => {
  it('lets a request under way end, accepts no other, and cuts nothing', async () => {
    const { app, finish, begun } = slowApp();
    const server = await listen(app, local);
    const origin = `http://127.0.0.1:${server.port}`;
    // On connections of their own: one that is idle would still be served.
    await raw(server.port, 'GET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const slow = fetch(`${origin}/slow`);
    await begun;
    const drained = server.drain(60_000);
    await expect(fetch(`${origin}/fast`)).rejects.toThrow();
    finish();
    expect(await (await slow).text()).toBe('finished');
    expect(await drained).toBe(0);
  });

  it('serves a connection that was idle when it stopped accepting, and then closes it', async () => {
    const { app } = slowApp();
    const server = await listen(app, local);
    const get = 'GET /fast HTTP/1.1\r\nHost: a\r\n\r\n';
    const { socket, said, closed } = dial(server.port);
    socket.write(get);
    await expect.poll(said).toMatch(/fast$/);
    const drained = server.drain(60_000);
    socket.write(get);
    expect(await drained).toBe(0);
    await closed;
    expect(said().match(/200 OK/g)).toHaveLength(2);
    expect(said().match(/connection: \S+/gi)).toEqual(['Connection: keep-alive', 'Connection: close']);
  });

  it('leaves a connection whose body nobody read to the requests that follow', async () => {
    const { app, finish, begun } = slowApp();
    const server = await listen(app, local);
    const refused = `POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n`;
    const next = 'GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const sent = raw(server.port, refused, 50, 'x'.repeat(200_000), 50, next);
    await begun;
    // The adapter would have closed it by now.
    await new Promise((resolve) => setTimeout(resolve, 700));
    finish();
    const { text } = await sent;
    expect(text).toMatch(/^HTTP\/1.1 404 .*HTTP\/1.1 200 .*finished$/s);
    await server.drain(0);
  });

  it('lets a body go by that comes slowly, after it was refused', async () => {
    const server = await listen(slowApp().app, local);
    const pieces = Array.from({ length: 10 }, () => ['x'.repeat(100_000), 100]).flat();
    const next = 'GET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const refused = 'POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n';
    const { text } = await raw(server.port, refused, ...pieces, next);
    expect(text).toMatch(/^HTTP\/1.1 404 .*HTTP\/1.1 200 /s);
    await server.drain(0);
  });

  it('cuts what does not end within the grace, and counts it', async () => {
    const { app, begun } = slowApp();
    const server = await listen(app, local);
    const slow = fetch(`http://127.0.0.1:${server.port}/slow`).catch(() => 'cut');
    await begun;
    const startedAt = Date.now();
    expect(await server.drain(200)).toBe(1);
    // Uncut, it would never have returned.
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect(await slow).toBe('cut');
  });

  it('says which setting to change when the port is taken', async () => {
    const server = await listen(slowApp().app, local);
    await expect(listen(slowApp().app, { ...local, port: server.port })).rejects.toThrow(
      `Port ${server.port} is in use. Stop what listens on 127.0.0.1:${server.port}, or set API_PORT to another port.`,
    );
    await server.drain(0);
  });

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'request.malformed'],
    ['a Host that is none', 'GET /fast HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n', 400, 'request.malformed'],
    [
      'an address that is none',
      'GET http:// HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      400,
      'request.malformed',
    ],
    ['a line break inside a header', 'GET /fast HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n', 400, 'request.malformed'],
    [
      'two lengths',
      'POST /fast HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
      'request.malformed',
    ],
    [
      'huge headers',
      `GET /fast HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'request.headers_too_large',
    ],
  ])('answers %s with a problem document', async (_case, request, status, code) => {
    const server = await listen(slowApp().app, local);
    const { text } = await raw(server.port, request);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text.toLowerCase()).toContain('content-type: application/problem+json');
    expect(text).toContain(`"code":"${code}"`);
    await server.drain(0);
  });

  it('drains past a connection on which nothing has come', async () => {
    const server = await listen(slowApp().app, local);
    const silent = raw(server.port);
    // They are accepted in the order in which they dialled.
    await raw(server.port, 'GET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const startedAt = Date.now();
    expect(await server.drain(60_000)).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(30_000);
    expect((await silent).text).toBe('');
  });

  it.concurrent('answers what comes over a connection that was dialled long before', async () => {
    const server = await listen(slowApp().app, local);
    const last = 'GET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const { text } = await raw(server.port, 9_500, last);
    expect(text).toMatch(/^HTTP\/1.1 200 /);
    await server.drain(0);
  });

  it.concurrent('closes within ten seconds on whoever sends a byte now and then, and serves others meanwhile', async () => {
    const server = await listen(slowApp().app, local);
    const trickle = Array.from({ length: 12 }, () => ['x', 1_000]).flat();
    const slow = raw(server.port, 'GET /fast HTTP/1.1\r\nHost: a\r\nX: ', ...trickle);
    const slowBody = raw(server.port, 'POST /fast HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n', ...trickle);
    expect((await fetch(`http://127.0.0.1:${server.port}/fast`)).status).toBe(200);
    const { text, ms } = await slow;
    expect(text).toContain('408');
    expect(text).toContain('request.too_slow');
    expect(ms).toBeLessThan(10_500);
    expect((await slowBody).ms).toBeLessThan(11_000);
    await server.drain(0);
  });
});
