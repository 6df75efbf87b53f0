import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { keepSilent } from './silent-connections.ts';

let server: Server;
afterEach(() => server.close());

async function open(keptMs: number) {
  server = createServer({ headersTimeout: 200, requestTimeout: 300, connectionsCheckingInterval: 20 }, (_, response) =>
    response.end('answered'),
  );
  keepSilent(server, { keptMs, refuse: (_, socket) => void socket.end('refused') });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let said = '';
  socket.on('data', (data) => {
    said += data;
  });
  return { socket, closed: once(socket, 'close').then(() => said) };
}

describe('a connection on which nothing has come', () => {
  it('is closed in the end, and nothing is said into it', async () => {
    const { closed } = await open(100);
    expect(await closed).toBe('');
  });

  it('is kept beyond the time of a request, for the one that comes', async () => {
    const { socket, closed } = await open(60_000);
    await sleep(500);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await closed).toMatch(/^HTTP\/1.1 200 .*answered/s);
  });

  it('is one like any other from its first byte on', async () => {
    const { socket, closed } = await open(60_000);
    await sleep(500);
    socket.write('GET / HTTP/1.1\r\nHost:');
    expect(await closed).toBe('refused');
  });
});
