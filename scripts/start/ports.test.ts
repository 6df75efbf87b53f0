import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { freePort } from '@ballast/test-kit/free-port';
import { afterEach, expect, test } from 'vitest';
import { listenerInode, shortCommand } from './port-holder.ts';
import { requireFreePorts, taken } from './ports.ts';

const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await new Promise((closed) => server.close(closed));
});

async function occupy(host: string): Promise<number> {
  // One that the system gave for this address it may have given to somebody else for another.
  const port = await freePort();
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  open.push(server);
  return port;
}

test('a free port passes', async () => {
  await requireFreePorts([{ port: await freePort(), use: 'the web app', variable: 'WEB_PORT' }]);
});

test.each(['127.0.0.1', '0.0.0.0', '::1'])(
  'a port that %s holds is refused, with its holder and its variable',
  async (host) => {
    const port = await occupy(host);
    const refused = requireFreePorts([{ port, use: 'the inbox', variable: 'INBOX_PORT' }]);
    await expect(refused).rejects.toThrow(`Port ${port}, wanted for the inbox, is in use`);
    await expect(refused).rejects.toThrow(`process ${process.pid}`);
    await expect(refused).rejects.toThrow(`INBOX_PORT=`);
  },
);

test('all problems come in one message, also two uses of one port', async () => {
  const port = await occupy('127.0.0.1');
  const refused = requireFreePorts([
    { port, use: 'the web app', variable: 'WEB_PORT' },
    { port, use: 'the API', variable: 'API_PORT' },
  ]);
  await expect(refused).rejects.toThrow(/WEB_PORT=[\s\S]+WEB_PORT and API_PORT are both/);
});

test('the sentence leaves out a holder that the system does not tell', () => {
  const sentence = taken({ port: 3000, use: 'the web app', variable: 'WEB_PORT' }, undefined);
  expect(sentence).toBe(
    'Port 3000, wanted for the web app, is in use. Stop that, or choose another port: WEB_PORT=4000 npm start.',
  );
});

test('the listener, not a connection, is found in the table of sockets', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:0BB8 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 111 1 0',
    '   1: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0',
  ].join('\n');
  expect(listenerInode(table, 3000)).toBe('222');
  expect(listenerInode(table, 3001)).toBeUndefined();
});

test('a command line is shortened to what a person recognises', () => {
  expect(shortCommand('/usr/bin/node /srv/app/server.js --port 3000')).toBe('node server.js');
  expect(shortCommand('/usr/bin/node --watch server.js')).toBe('node');
  expect(shortCommand('')).toBe('a process');
});
