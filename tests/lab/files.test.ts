/**
 * What the Compose files say of every service, also of those that only a profile, a server or a restore starts: read as
 * Compose itself reads them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { namesOf, settings } from '../../apps/api/src/config/settings.ts';
import { modules } from '../../apps/api/src/generated/config.ts';
import { compose, type Stack } from './harness/stack.ts';

interface Service {
  image: string;
  build?: { target: string; args?: Record<string, string> };
  user?: string;
  profiles?: string[];
  read_only?: boolean;
  init?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  privileged?: boolean;
  security_opt?: string[];
  restart?: string;
  logging?: { driver: string; options: Record<string, string> };
  healthcheck?: { test: string[] };
  network_mode?: string;
  networks?: Record<string, unknown>;
  ports?: { host_ip?: string; published: string; target: number; protocol: string }[];
  environment?: Record<string, string | null>;
  volumes?: { type: string; source: string; target: string; read_only?: boolean; volume?: { subpath?: string } }[];
  deploy?: {
    replicas?: number;
    resources: { limits: { cpus: number; memory: string; pids: number } };
    update_config?: object;
    rollback_config?: object;
  };
}

const { folder } = inject('stack');
const dockerfile = readFileSync(join(folder, 'Dockerfile'), 'utf8');
const onServers = {
  SITE_ADDRESS: 'app.acme.test',
  MAIL_FROM: 'Acme <hello@acme.test>',
  BALLAST_VERSION: 'one',
};

async function read(files: string[], env: Record<string, string> = {}): Promise<Record<string, Service>> {
  const stack: Stack = { folder, project: 'ballast-files', files, env };
  const { stdout } = await compose(stack, ['--profile', '*', 'config', '--format', 'json']);
  return (JSON.parse(stdout) as { services: Record<string, Service> }).services;
}

const base = 'docker-compose.yml';
const prod = [base, 'docker-compose.prod.yml'];
const swarm = [...prod, 'docker-compose.swarm.yml'];
let laptop: Record<string, Service>;
let server: Record<string, Service>;
beforeAll(async () => {
  [laptop, server] = await Promise.all([read([base]), read(prod, onServers)]);
});

const names = [
  ...['secrets', 'postgres', 'redis-cache', 'redis-queue', 'migrate', 'api', 'worker', 'web', 'inbox', 'caddy'],
  ...['prometheus', 'grafana', 'pooler', 'backup', 'restore'],
];
/** Steps that end by themselves. */
const steps = ['secrets', 'migrate', 'restore'];

test('these are all of them, and each belongs where it is needed', () => {
  expect(Object.keys(laptop).sort()).toEqual(names.toSorted());
  const profiles = Object.entries(laptop).flatMap(([name, { profiles = [] }]) => profiles.map((of) => `${of} ${name}`));
  expect(profiles.sort()).toEqual(
    ['backup backup', 'observability grafana', 'observability prometheus', 'pooler pooler', 'restore restore'].sort(),
  );
});

/** The user that a target of the Dockerfile ends with, or the one of the target that it is made from. */
function userOf(target: string): string | undefined {
  const stages = new Map(
    dockerfile
      .split(/^(?=FROM )/m)
      .slice(1)
      .map((text) => {
        const [, from = '', as = ''] = /^FROM (\S+)(?: AS (\S+))?/.exec(text) ?? [];
        return [as, { from, user: [...text.matchAll(/^USER (\S+)/gm)].at(-1)?.[1] }];
      }),
  );
  for (let stage = stages.get(target); stage; stage = stages.get(stage.from)) if (stage.user) return stage.user;
  return undefined;
}

describe.each(names)('%s', (name) => {
  test.each(['a laptop', 'servers'])('has no rights and has bounds, on %s', (where) => {
    const service = (where === 'servers' ? server : laptop)[name] as Service;
    expect(service.read_only).toBe(true);
    expect(service.init).toBe(true);
    expect(service.privileged ?? false).toBe(false);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    const { cpus, memory, pids } = service.deploy?.resources.limits ?? {};
    expect(Number(cpus)).toBeGreaterThan(0);
    expect(Number(memory)).toBeGreaterThan(0);
    expect(Number(pids)).toBeGreaterThan(0);
    expect(service.logging).toEqual({ driver: 'json-file', options: { 'max-file': '5', 'max-size': '10m' } });
    expect(service.restart).toBe(steps.includes(name) ? 'no' : 'unless-stopped');
    if (!steps.includes(name)) expect(service.healthcheck?.test.length).toBeGreaterThan(1);

    // The one that reads files of whoever made them: as root, with nothing but that right, without a network, for a second.
    const readsFiles = where === 'servers' && name === 'secrets';
    const user = service.user ?? userOf(service.build?.target ?? '');
    if (readsFiles) expect(user).toBe('0:0');
    else expect(user).toMatch(/^(?:node|postgres|[1-9]\d*(?::\d+)?)$/);
    const added = readsFiles ? ['DAC_OVERRIDE'] : name === 'caddy' ? ['NET_BIND_SERVICE'] : [];
    expect(service.cap_add ?? []).toEqual(added);
    if (name === 'secrets') expect(service.network_mode).toBe('none');
  });
});

test('each is given its own folder of the secrets and no other, and cannot write to it', () => {
  const owner: Record<string, string> = { restore: 'backup' };
  for (const services of [laptop, server]) {
    for (const [name, { volumes = [] }] of Object.entries(services)) {
      const given = volumes.filter(({ source }) => source === 'secrets');
      if (name === 'secrets') continue;
      expect(given.length, name).toBeLessThanOrEqual(1);
      for (const { target, read_only, volume } of given) {
        expect({ target, read_only, subpath: volume?.subpath }, name).toEqual({
          target: '/run/secrets',
          read_only: true,
          subpath: owner[name] ?? name,
        });
      }
    }
  }
  // What an environment says, `docker inspect` tells everybody.
  for (const services of [laptop, server]) {
    for (const [name, { environment = {} }] of Object.entries(services)) {
      const telling = Object.entries(environment).filter(
        ([key, value]) => value && /PASS|SECRET|KEY|TOKEN|DATABASE_.*URL|REDIS_.*URL/.test(key) && !/_FILE$/.test(key),
      );
      expect(telling, name).toEqual([]);
    }
  }
});

describe('what .env says arrives', () => {
  const isSecret = (name: string) => (settings as Record<string, { secret?: boolean }>)[name]?.secret === true;
  const ofModules = modules.flatMap(({ config }) => Object.keys(config.settings));
  /** What no installation chooses: the image's own, or part of how the services meet. */
  const fixed = ['NODE_ENV', 'BALLAST_ENV', 'SHUTDOWN_GRACE_MS', 'SHUTDOWN_DELAY_MS'];
  const fixedOf = {
    api: [
      ...fixed,
      'API_HOST',
      'API_PORT',
      'METRICS_HOST',
      'METRICS_PORT',
      'DISABLE_BACKGROUND_WORKERS',
      'TRUSTED_PROXY_HOPS',
    ],
    worker: [...fixed, 'WORKER_HOST', 'WORKER_PORT'],
  };

  test.each(['api', 'worker'] as const)('every setting of the %s that is no secret', async (name) => {
    const wanted = [...namesOf[name], ...ofModules].filter((each) => !isSecret(each) && !fixedOf[name].includes(each));
    expect(wanted).toEqual(expect.arrayContaining(['LOG_LEVEL', 'OTEL_TRACES_SAMPLER_ARG', 'SUPPORT_EMAIL']));
    const given = Object.fromEntries(wanted.map((each) => [each, `given-${each}`]));
    const [onLaptop, onServer] = await Promise.all([read([base], given), read(prod, { ...given, ...onServers })]);
    // On servers SITE_ADDRESS is what browsers use.
    const ofServer = { ...given, MAIL_FROM: onServers.MAIL_FROM, PUBLIC_URL: 'https://app.acme.test' };
    expect(onLaptop[name]?.environment).toMatchObject(given);
    expect(onServer[name]?.environment).toMatchObject(ofServer);
  });

  test('everything that docs/backups.md names, but where the volume is', async () => {
    const documented = readFileSync(join(folder, 'docs/backups.md'), 'utf8').match(
      /\b(?:PGBACKREST|BACKUP)_[A-Z0-9_]+[A-Z0-9]\b/g,
    );
    const names = [...new Set(documented)].filter((each) => !['BACKUP_REPOSITORY', 'BACKUP_SCRATCH'].includes(each));
    expect(names).toEqual(expect.arrayContaining(['BACKUP_KEEP_DAYS', 'PGBACKREST_REPO1_S3_URI_STYLE']));
    const given = Object.fromEntries(names.map((each) => [each, `given-${each}`]));
    for (const files of [[base], prod, swarm]) {
      const services = await read(files, { ...given, ...onServers });
      for (const name of ['backup', 'restore'])
        expect(services[name]?.environment, `${name} of ${files}`).toMatchObject(given);
    }
  });

  test('the base of every image that is built, and of what runs as it is', async () => {
    const bases = Object.fromEntries(
      ['NODE', 'POSTGRES', 'CADDY', 'REDIS'].map((each) => [`${each}_IMAGE`, `pinned/${each.toLowerCase()}:1`]),
    );
    const services = await read([base], bases);
    const { REDIS_IMAGE: _, ...built } = bases;
    for (const [name, { image, build }] of Object.entries(services)) {
      if (build) expect(build.args, name).toMatchObject(built);
      else if (!['prometheus', 'grafana'].includes(name)) expect(Object.values(bases), name).toContain(image);
    }
  });
});

describe('on a laptop', () => {
  test('everything that is published listens on loopback', () => {
    const ports = Object.entries(laptop).flatMap(([name, { ports = [] }]) =>
      ports.map(({ host_ip, target }) => `${host_ip} ${name}:${target}`),
    );
    expect(ports.sort()).toEqual(
      ['api:3001', 'caddy:8080', 'grafana:3000', 'inbox:1080', 'prometheus:9090', 'web:3000'].map(
        (port) => `127.0.0.1 ${port}`,
      ),
    );
  });

  test('a cache forgets and a queue does not, and the API leaves jobs to the workers', () => {
    const command = (name: string) => (laptop[name] as { command?: string[] }).command?.join(' ') ?? '';
    expect(command('redis-cache')).toMatch(
      /--maxmemory \d+mb --maxmemory-policy allkeys-lru --save {2}--appendonly no$/,
    );
    expect(command('redis-queue')).toMatch(/--maxmemory \d+mb --maxmemory-policy noeviction .*--appendonly yes/);
    expect(laptop.api?.environment?.DISABLE_BACKGROUND_WORKERS).toBe('true');
    expect(laptop.worker?.environment).not.toHaveProperty('DISABLE_BACKGROUND_WORKERS');
    expect(command('worker')).toBe('node apps/api/dist/workers-standalone.js');
  });

  test('who serves the public has no way to the data, and who has the data none to the world', () => {
    const networksOf = (name: string) => Object.keys(laptop[name]?.networks ?? {}).sort();
    expect(networksOf('caddy')).toEqual(['edge']);
    expect(networksOf('web')).toEqual(['edge', 'pages']);
    expect(networksOf('postgres')).toEqual(['data']);
    expect(networksOf('redis-queue')).toEqual(['queue']);
    expect(networksOf('redis-cache')).toEqual(['cache', 'pages']);
    expect(networksOf('worker')).not.toContain('edge');
  });
});

describe('on servers', () => {
  test('Caddy alone is published, of all profiles but the one that an operator reads over ssh', () => {
    const ports = Object.entries(server).flatMap(([name, { ports = [] }]) =>
      ports.map(({ host_ip = '*', published, protocol }) => `${host_ip} ${name} ${published}/${protocol}`),
    );
    expect(ports.sort()).toEqual([
      '* caddy 443/tcp',
      '* caddy 443/udp',
      '* caddy 80/tcp',
      '127.0.0.1 grafana 3030/tcp',
      '127.0.0.1 inbox 1080/tcp',
      '127.0.0.1 prometheus 9090/tcp',
    ]);
    expect(server.inbox?.profiles).toEqual(['local']);
  });

  test('api, worker and web have as many replicas as .env says, two when it says nothing, and roll start-first', async () => {
    const replicated = ['api', 'worker', 'web'] as const;
    const asked = await read(prod, { ...onServers, API_REPLICAS: '3', WORKER_REPLICAS: '4', WEB_REPLICAS: '5' });
    expect(replicated.map((name) => server[name]?.deploy?.replicas)).toEqual([2, 2, 2]);
    expect(replicated.map((name) => asked[name]?.deploy?.replicas)).toEqual([3, 4, 5]);
    for (const name of replicated) {
      expect(server[name]?.deploy?.update_config, name).toMatchObject({
        order: 'start-first',
        parallelism: 1,
        failure_action: 'rollback',
      });
      expect(server[name]?.deploy?.rollback_config, name).toMatchObject({ order: 'start-first' });
    }
    // Of these there is one, with a volume: two at once would be two on the same files.
    for (const name of ['postgres', 'redis-cache', 'redis-queue', 'caddy']) {
      expect(server[name]?.deploy?.update_config, name).toMatchObject({ order: 'stop-first' });
    }
  });

  test('every process of ours is told that it is one, and every image has the version', () => {
    for (const name of ['migrate', 'api', 'worker', 'backup', 'restore']) {
      expect(server[name]?.environment?.BALLAST_ENV, name).toBe('production');
    }
    for (const name of ['secrets', 'migrate', 'api', 'worker', 'web', 'caddy', 'pooler', 'backup', 'restore']) {
      expect(server[name]?.image, name).toMatch(/:one$/);
    }
    // Mail goes where the secret says, and not to the inbox of a laptop.
    for (const name of ['api', 'worker']) expect(server[name]?.environment, name).not.toHaveProperty('SMTP_URL');
    expect(server.caddy?.environment).toMatchObject({ SITE_ADDRESS: 'app.acme.test', TENANT_DOMAINS: 'on' });
  });

  test.each(Object.keys(onServers))('nothing starts without %s', async (missing) => {
    const { [missing as keyof typeof onServers]: _, ...env } = onServers;
    await expect(read(prod, env)).rejects.toThrow(missing);
  });
});
