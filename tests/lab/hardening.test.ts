import { networkInterfaces } from 'node:os';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { docker } from './harness/docker.ts';
import { exec, type Inspected, inspect, serviceOf } from './harness/stack.ts';

const stack = inject('stack');
const steps = ['secrets', 'migrate'];
const names = ['api', 'inbox', 'postgres', 'redis-cache', 'redis-queue', 'web', 'worker'];
let containers: Inspected[];
beforeAll(async () => {
  containers = await inspect(stack);
});
const only = (service: string) => containers.filter((each) => serviceOf(each) === service);

test('what was asked for runs, with what it needs, and nothing else', () => {
  expect([...new Set(containers.map(serviceOf))].sort()).toEqual([...names, ...steps].sort());
  for (const each of containers) {
    const service = serviceOf(each);
    expect(each.State.Status, service).toBe(steps.includes(service) ? 'exited' : 'running');
    expect(each.State.ExitCode, service).toBe(0);
  }
});

test('web, api and the inbox are published, on loopback; the rest is not', async () => {
  const published = containers.flatMap((each) =>
    Object.entries(each.NetworkSettings.Ports).flatMap(([port, bindings]) =>
      (bindings ?? []).map(({ HostIp }) => `${serviceOf(each)} ${port} on ${HostIp}`),
    ),
  );
  expect(published.sort()).toEqual([
    'api 3001/tcp on 127.0.0.1',
    'inbox 1080/tcp on 127.0.0.1',
    'web 3000/tcp on 127.0.0.1',
  ]);
  const { port } = new URL(inject('webUrl'));
  const outside = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).filter((each) => !each.internal));
  for (const { address, family } of outside) {
    if (family !== 'IPv4') continue;
    await expect(fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(2000) }), address).rejects.toThrow();
  }
});

describe.each([...names, ...steps])('%s', (service) => {
  test('runs as a user, on a root that nobody can write, with no capability to gain', async () => {
    const found = only(service);
    expect(found.length).toBeGreaterThan(0);
    for (const { Config, HostConfig } of found) {
      expect(Config.User).not.toMatch(/^(?:|root|0(?::.*)?)$/);
      expect(HostConfig.ReadonlyRootfs).toBe(true);
      expect(HostConfig.Privileged).toBe(false);
      expect(HostConfig.CapDrop).toEqual(['ALL']);
      expect(HostConfig.CapAdd ?? []).toEqual([]);
      expect(HostConfig.SecurityOpt).toContain('no-new-privileges:true');
      expect(HostConfig.Init).toBe(true);
    }
  });

  test('has bounds: memory, processor, processes, logs', () => {
    for (const { HostConfig } of only(service)) {
      expect(HostConfig.Memory).toBeGreaterThan(0);
      expect(HostConfig.NanoCpus).toBeGreaterThan(0);
      expect(HostConfig.PidsLimit).toBeGreaterThan(0);
      expect(HostConfig.LogConfig).toEqual({ Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '5' } });
      expect(HostConfig.RestartPolicy.Name).toBe(steps.includes(service) ? 'no' : 'unless-stopped');
    }
  });
});

test.each(names)('%s says whether it is well', (service) => {
  for (const { State } of only(service)) expect(State.Health?.Status).toBe('healthy');
});

test.each(['api', 'worker', 'web', 'postgres', 'redis-queue'])(
  '%s cannot be written to from inside',
  async (service) => {
    const { code, stderr } = await exec(stack, service, ['touch', '/etc/written'], true);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/Read-only file system/);
  },
);

test.each(['redis-cache', 'redis-queue'])('%s answers nobody without a password', async (service) => {
  const ask = async (...command: string[]) =>
    (await exec(stack, service, ['redis-cli', ...command], true)).stdout.trim();
  expect(await ask('ping')).toMatch(/NOAUTH/);
  expect(await ask('config', 'get', 'requirepass')).toMatch(/NOAUTH/);
  expect(await ask('--no-auth-warning', '--user', 'health', '--pass', 'none', 'keys', '*')).toMatch(/NOPERM/);
});

test('each sees its own secrets, and the API none that belongs to a migration', async () => {
  const seen = async (service: string) =>
    (await exec(stack, service, ['ls', '/run/secrets'])).stdout.split('\n').filter(Boolean).sort();
  expect(await seen('postgres')).toEqual(['postgres_password']);
  expect(await seen('redis-queue')).toEqual(['users.acl']);
  const api = await seen('api');
  expect(api).toContain('database_url');
  expect(api).not.toContain('database_owner_url');
  expect(api).not.toContain('database_dispatcher_url');
  expect(await seen('worker')).not.toContain('database_owner_url');
  expect(await seen('web')).toEqual(['next_server_actions_encryption_key', 'redis_url']);
});

test('the web has no way to the data, and the data none to the world', async () => {
  const reach = (host: string, port: number, patienceMs: number) =>
    `require('node:net').connect(${port}, '${host}').setTimeout(${patienceMs}, () => process.exit(1))
      .on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
  const reaches = async (service: string, host: string, port: number, patienceMs = 2_000) =>
    (await exec(stack, service, ['node', '-e', reach(host, port, patienceMs)], true)).code === 0;
  expect(await reaches('web', 'api', 3001, 30_000)).toBe(true);
  expect(await reaches('web', 'redis-cache', 6379, 30_000)).toBe(true);
  expect(await reaches('api', 'postgres', 5432, 30_000)).toBe(true);
  for (const [host, port] of [
    ['postgres', 5432],
    ['redis-queue', 6379],
    ['worker', 3002],
  ] as const) {
    expect(await reaches('web', host, port), `web to ${host}`).toBe(false);
  }
  const { stdout } = await docker([
    'network',
    'ls',
    '--filter',
    `label=com.docker.compose.project=${stack.project}`,
    '-q',
  ]);
  const networks = JSON.parse((await docker(['network', 'inspect', ...stdout.split('\n').filter(Boolean)])).stdout) as {
    Internal: boolean;
    Labels: Record<string, string>;
  }[];
  const closed = networks.filter(({ Internal }) => Internal).map(({ Labels }) => Labels['com.docker.compose.network']);
  expect(closed).toEqual(expect.arrayContaining(['data', 'cache', 'queue']));
});
