import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '@ballast/test-kit/free-port';
import { type NameServer, openNameServer } from '@ballast/test-kit/name-server';

const configuration = resolve(import.meta.dirname, '../../../deploy/caddy');

export interface Edge {
  origin: string;
  port: number;
  pid: number;
  /** Where it keeps certificates. */
  data: string;
  /** Where replicas of each kind have to listen, on a loopback address of their own. */
  ports: { api: number; web: number };
  names: NameServer;
  said(): string;
  /** As after an edit of the Caddyfile. */
  reload(): void;
  stop(): Promise<void>;
}

export interface EdgeOptions {
  /** With TLS, and tenants' domains: the name of the site, and where the API answers what is asked from inside. */
  tls?: { site: string; inside: string; from?: Authority };
}

/** Who signs certificates by ACME, and what it signed before for the site, as Caddy keeps it in its volume. */
export interface Authority {
  directory: string;
  certificate: string;
  key: string;
}

/**
 * Caddy with the project's own Caddyfile. Only what a test cannot have differs: the
 * ports, the admin's port, the name server that knows the replicas, and who signs certificates.
 */
export async function startCaddy({ tls }: EdgeOptions = {}): Promise<Edge> {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-edge-'));
  const names = await openNameServer();
  const [port, plain, admin, api, web] = await Promise.all([1, 2, 3, 4, 5].map(() => freePort()));
  const own = {
    ...{ admin, api, web, resolver: names.address },
    ...(tls && { plain, port, inside: tls.inside, directory: tls.from?.directory }),
  } as Own;
  const file = join(folder, 'Caddyfile');
  cpSync(configuration, folder, { recursive: true });
  const write = (more = '') => writeFileSync(file, adapted(own) + more);
  write();
  if (tls?.from) keepCertificate(join(folder, 'caddy'), tls.site, tls.from);
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    XDG_DATA_HOME: folder,
    SITE_ADDRESS: tls ? tls.site : `http://127.0.0.1:${port}`,
    ...(tls && { TENANT_DOMAINS: 'on' }),
  };
  const child = spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], { env });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      text += data;
    });
  }
  const origin = tls ? `https://${tls.site}:${port}` : `http://127.0.0.1:${port}`;
  await untilAnswers(`http://127.0.0.1:${tls ? plain : port}/metrics`, () => text);
  return {
    origin,
    port: Number(port),
    data: join(folder, 'caddy'),
    pid: child.pid ?? 0,
    ports: { api: Number(api), web: Number(web) },
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

interface Own extends Record<'admin' | 'api' | 'web', number> {
  resolver: string;
  plain?: number;
  port?: number;
  inside?: string;
  directory?: string;
}

/** Where Caddy keeps it: by who signed it (the address of its directory, in characters of a file's name) and for whom. */
function keepCertificate(data: string, site: string, { directory, certificate, key }: Authority): void {
  const { host, pathname } = new URL(directory);
  const folder = join(data, 'certificates', `${host.replace(':', '-')}${pathname.replaceAll('/', '-')}`, site);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${site}.crt`), certificate);
  writeFileSync(join(folder, `${site}.key`), key, { mode: 0o600 });
  writeFileSync(join(folder, `${site}.json`), JSON.stringify({ sans: [site] }));
}

function adapted(own: Own): string {
  const by = own.directory ? `acme_ca ${own.directory}` : 'local_certs\n\tskip_install_trust';
  const signed = own.inside
    ? `${by}\n\thttp_port ${own.plain}\n\thttps_port ${own.port}\n\tpersist_config off`
    : 'persist_config off';
  const text = readFileSync(join(configuration, 'Caddyfile'), 'utf8')
    .replace('admin localhost:2019', `admin localhost:${own.admin}`)
    .replace('persist_config off', signed)
    .replace('http://api:3003', own.inside ?? 'http://127.0.0.1:1')
    .replace('dynamic a api 3001', `dynamic a api ${own.api}`)
    .replace('dynamic a web 3000', `dynamic a web ${own.web}`)
    .replaceAll('refresh 1s', `refresh 1s\n\t\t\t\t\tresolvers ${own.resolver}`);
  for (const part of [
    `localhost:${own.admin}`,
    signed,
    `api ${own.api}`,
    `web ${own.web}`,
    own.resolver,
    own.inside ?? '',
  ]) {
    if (!text.includes(part)) throw new Error(`The Caddyfile has changed: the test found no place for ${part}.`);
  }
  return text;
}

/** Caddy asks the name server once a second. */
export async function untilStatus(url: string, status: number): Promise<void> {
  for (let tries = 0; tries < 800; tries++) {
    if ((await fetch(url)).status === status) return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error(`${url} never answered ${status}.`);
}

async function untilAnswers(url: string, said: () => string): Promise<void> {
  for (let tries = 0; tries < 800; tries++) {
    if (await fetch(url, { redirect: 'manual' }).catch(() => null)) return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error(`Caddy does not answer:\n${said()}`);
}
