import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '@ballast/test-kit/embedded-postgres';
import { type NameServer, openNameServer } from '@ballast/test-kit/name-server';

const caddyfile = resolve(import.meta.dirname, '../../../deploy/caddy/Caddyfile');

export interface Edge {
  origin: string;
  port: number;
  pid: number;
  /** Where replicas of each kind have to listen, on a loopback address of their own. */
  ports: { api: number; web: number };
  names: NameServer;
  said(): string;
  /** As after an edit of the Caddyfile. */
  reload(): void;
  stop(): Promise<void>;
}

/**
 * Caddy with the project's own Caddyfile. Only what a test cannot have differs: the
 * ports, the admin's port, and the name server that knows the replicas.
 */
export async function startCaddy(): Promise<Edge> {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-edge-'));
  const names = await openNameServer();
  const [port, admin, api, web] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const file = join(folder, 'Caddyfile');
  const write = (more = '') => writeFileSync(file, adapted({ admin, api, web, resolver: names.address }) + more);
  write();
  const env = { PATH: process.env.PATH, HOME: folder, SITE_ADDRESS: `http://127.0.0.1:${port}` };
  const child = spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], { env });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      text += data;
    });
  }
  const origin = `http://127.0.0.1:${port}`;
  await untilAnswers(`${origin}/metrics`, () => text);
  return {
    origin,
    port,
    pid: child.pid ?? 0,
    ports: { api, web },
    names,
    said: () => text,
    reload() {
      write('\n# edited\n');
      const { status, stderr } = spawnSync('caddy', ['reload', '--force', '--config', file, '--adapter', 'caddyfile'], {
        env,
      });
      if (status !== 0) throw new Error(`Not reloaded: ${stderr}`);
    },
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      names.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function adapted(own: { admin: number; api: number; web: number; resolver: string }): string {
  const text = readFileSync(caddyfile, 'utf8')
    .replace('admin localhost:2019', `admin localhost:${own.admin}`)
    .replace('dynamic a api 3001', `dynamic a api ${own.api}`)
    .replace('dynamic a web 3000', `dynamic a web ${own.web}`)
    .replaceAll('refresh 1s', `refresh 1s\n\t\t\t\t\tresolvers ${own.resolver}`);
  for (const part of [`localhost:${own.admin}`, `api ${own.api}`, `web ${own.web}`, own.resolver]) {
    if (!text.includes(part)) throw new Error(`The Caddyfile has changed: the test found no place for ${part}.`);
  }
  return text;
}

/** Caddy asks the name server once a second. */
export async function untilStatus(url: string, status: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await fetch(url)).status === status) return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error(`${url} never answered ${status}.`);
}

async function untilAnswers(url: string, said: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await fetch(url).catch(() => null)) return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error(`Caddy does not answer:\n${said()}`);
}
