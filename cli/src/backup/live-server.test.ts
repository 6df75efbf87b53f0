import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isLive } from './live-server.ts';
import type { BackupSettings } from './settings.ts';

let folder: string;
let socket: string;
let server: Server | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ballast-live-'));
  socket = join(folder, '.s.PGSQL.5432');
});
afterEach(() => {
  server?.close();
  server = null;
  rmSync(folder, { recursive: true });
});

const asked = () => isLive({ socketFolder: folder, port: 5432 } as BackupSettings);

/** Something that answers every connection so. */
async function listen(answer: (socket: Socket) => void): Promise<void> {
  server = createServer((socket) => answer(socket.on('error', () => {}))).listen(socket);
  await once(server, 'listening');
}

it('no server runs where there is no socket, or where nobody listens on one any more', async () => {
  expect(await asked()).toBe(false);
  const program = `require('node:net').createServer().listen('${socket}', () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', program]), 'exit');
  expect(existsSync(socket)).toBe(true);
  expect(await asked()).toBe(false);
});

it('one that takes connections and does not answer yet does run', async () => {
  await listen(() => {});
  expect(await asked()).toBe(true);
});

it('one that hangs up does run', async () => {
  await listen((socket) => socket.destroy());
  expect(await asked()).toBe(true);
});

it('one that still starts does run', async () => {
  const fields = ['SFATAL', 'VFATAL', 'C57P03', 'Mthe database system is starting up'];
  const body = Buffer.from(`${fields.map((field) => `${field}\0`).join('')}\0`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  await listen((socket) => socket.once('data', () => socket.end(Buffer.concat([Buffer.from('E'), length, body]))));
  expect(await asked()).toBe(true);
});
