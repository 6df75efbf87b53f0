import { spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { docker, run } from './harness/docker.ts';
import { openJobs, type RequestedJobs } from './harness/jobs-load.ts';
import { type LoadReport, startLoad, type Target } from './harness/load.ts';
import { type Production, settle, startProduction } from './harness/production.ts';
import { expands, forgetReleases, release, whetherExpanded } from './harness/release.ts';
import { compose, containersOf, eventually, exec, inspect, serviceOf } from './harness/stack.ts';
import { type Site, visit } from './harness/visit.ts';
import { weighAsWithSystemd } from './harness/weights.ts';

/** Requests a second. A machine that does not answer a quarter more at rest is asked less, and the report says how many. */
const wanted = Number(process.env.BALLAST_LAB_RATE ?? 200);

let production: Production;
/** Caddy, past the proxy of the published port: Docker copies each byte there once more, with the processor that is measured. */
let door: Site;
let cookie: string;
let perSecond: number;
let jobs: RequestedJobs;
let weighAsBefore = () => {};

beforeAll(async () => {
  weighAsBefore = weighAsWithSystemd();
  production = await startProduction(inject('stack'));
  cookie = await settle(production);
  jobs = await openJobs(production, cookie);
  door = { ...production.site, port: 443, address: await addressOf('caddy') };
  perSecond = await carried(wanted);
});
afterAll(async () => {
  weighAsBefore();
  await production?.end();
  await forgetReleases(['lab-next', 'lab-broken', 'lab-ending', 'lab-waiting', 'lab-mended']);
});

describe('from outside', () => {
  test('nothing but Caddy is published', async () => {
    const { stack } = production;
    const published = (await inspect(stack)).flatMap((each) =>
      Object.entries(each.NetworkSettings.Ports).flatMap(([port, at]) => (at ? [`${serviceOf(each)} ${port}`] : [])),
    );
    expect(published.sort()).toEqual(['caddy 443/tcp', 'caddy 80/tcp', 'inbox 1080/tcp']);

    // As on a server, where nothing of the lab is added.
    const files = { ...stack, files: stack.files.slice(0, 2) };
    const config = JSON.parse((await compose(files, ['config', '--format', 'json'])).stdout) as Config;
    const ports = Object.entries(config.services).flatMap(([name, { ports = [] }]) =>
      ports.map(({ published, protocol }) => `${name} ${published}/${protocol}`),
    );
    expect(ports.sort()).toEqual(['caddy 443/tcp', 'caddy 443/udp', 'caddy 80/tcp']);
    expect(Object.keys(config.services)).not.toContain('inbox');
    for (const name of ['api', 'worker', 'web']) {
      expect(config.services[name]?.deploy.update_config, name).toMatchObject({
        order: 'start-first',
        failure_action: 'rollback',
      });
    }
  });

  test('TLS by the authority that was asked, and http only leads there', async () => {
    // A session that is resumed shows no certificate.
    const agent = new https.Agent({ maxCachedSessions: 0 });
    const answer = await visit(production.site, '/', { agent });
    agent.destroy();
    expect(answer.status).toBe(200);
    expect(answer.issuer).toContain('Caddy Local Authority');
    expect(answer.headers['strict-transport-security']).toContain('max-age=31536000');
    expect(await redirectOf(Number(production.stack.env.LAB_HTTP_PORT), '/sign-in')).toEqual({
      status: 308,
      location: 'https://ballast.localhost/sign-in',
    });
  });

  test.each([
    '/metrics',
    '/metrics/',
    '//metrics',
    '/%6detrics',
    '/api/../metrics',
    '/health',
    '/readyz',
    '/livez',
    '/internal/x',
  ])('%s is nobody’s', async (path) => {
    const { status, body } = await visit(production.site, path);
    expect(status).toBe(404);
    expect(body).not.toMatch(/ballast_|ready|"status":"ok"/);
  });

  test('Caddy itself has no way to a worker or to the data, and to the API for requests and its question', async () => {
    const reach = async (address: string, seconds = '2') =>
      (await exec(production.stack, 'caddy', ['wget', '-q', '-T', seconds, '-O-', `http://${address}`], true)).code ===
      0;
    expect(await reach('api:3001/livez', '30')).toBe(true);
    expect(await reach('api:3003/internal/domains/ask?domain=ballast.localhost', '30')).toBe(true);
    expect(await reach('api:3003/internal/domains/ask?domain=shop.acme.example')).toBe(false);
    for (const address of ['worker:3002/livez', 'postgres:5432', 'redis-queue:6379']) {
      expect(await reach(address), address).toBe(false);
    }
  });

  test('no secret of a server is in what Docker tells', async () => {
    const { stdout } = await run('sh', ['-c', 'cat secrets/*'], { cwd: production.stack.folder });
    const secrets = stdout
      .split('\n')
      .flatMap((value) => (URL.canParse(value) ? new URL(value).password : value.split(':').at(-1)))
      .filter((value): value is string => Boolean(value));
    expect(secrets.length).toBeGreaterThan(8);
    const told = JSON.stringify(await inspect(production.stack));
    expect(secrets.filter((value) => told.includes(value))).toEqual([]);
  });
});

describe('under load, through Caddy', () => {
  test('the API from 1 to 3 replicas and back: no failed request', async () => {
    const report = await during(async () => {
      await scale('api', 3);
      await sleep(3000);
      await scale('api', 1);
    });
    expect(report.failed).toEqual({});
  });

  test('workers from 1 to 4 and back: no lost job, none doubled, no failed request', async () => {
    const feed = jobs.feed(5);
    const report = await during(async () => {
      await scale('worker', 4);
      await sleep(3000);
      await scale('worker', 1);
    });
    const asked = await feed.stop();
    expect(report.failed).toEqual({});
    expect(asked).toBeGreaterThan(20);
    await jobs.allOnce();
  });

  test('a new version of every service, with its migration: no failed request, no lost or doubled job', async () => {
    await release(former(), 'lab-next', expands);
    expect(await production.query(whetherExpanded)).toEqual(['f|f']);
    const feed = jobs.feed(5);
    const report = await during(async () => void (await roll('lab-next')));
    await feed.stop();
    expect(report.failed).toEqual({});
    for (const service of ['api', 'worker', 'web']) expect(await versionsOf(service)).toEqual(['lab-next']);
    // While they started they weighed less.
    expect(await sharesOf('api')).toEqual([1024]);
    expect(await sharesOf('worker')).toEqual([256]);
    expect(await production.query(whetherExpanded)).toEqual(['t|t']);
    await jobs.allOnce();
  });

  test('a version that does not start: the former stays, and nobody notices', async () => {
    await release(former(), 'lab-broken', broken);
    const report = await during(async () => {
      const { code, stderr } = await roll('lab-broken', ['api']);
      expect(code).toBe(1);
      expect(stderr).toContain('the former ones stay');
    });
    expect(report.failed).toEqual({});
    expect(await versionsOf('api')).toEqual(['lab-next']);
  });
});

/** Of the former ones one has ended, and one is started again and again: `--scale` counts both as replicas that are there. */
test('a roll beside replicas that do not run: none of the former is left, and one that is interrupted adds nothing', async () => {
  const { stack } = production;
  // What runs has a version of a test before, or none.
  await scale('api', 2, (await versionsOf('api'))[0]);
  const [ended = ''] = await containersOf(stack, 'api');
  // A release that ends at once, put there without a roll: what the next one is to mend.
  await release(former(), 'lab-ending', broken);
  await compose({ ...stack, env: { ...stack.env, BALLAST_VERSION: 'lab-ending' } }, [
    'up',
    '-d',
    '--no-deps',
    '--no-recreate',
    '--scale',
    'api=3',
    'api',
  ]);
  await docker(['stop', ended]);
  const before = await containersOf(stack, 'api');
  expect(before).toHaveLength(3);

  // It never becomes healthy, so the roll is at its first step however late somebody looks.
  await release(former(), 'lab-waiting', ['CMD ["node", "-e", "setInterval(() => {}, 1000)"]']);
  const added = async () => (await containersOf(stack, 'api')).length === 6;
  expect(await rollInterrupted('lab-waiting', 'api', added)).toBe(143);
  expect((await containersOf(stack, 'api')).sort()).toEqual(before.toSorted());

  await release(former(), 'lab-mended');
  const { code, stderr } = await roll('lab-mended', ['api']);
  expect(code, stderr).toBe(0);
  expect(await versionsOf('api')).toEqual(['lab-mended', 'lab-mended', 'lab-mended']);
  expect((await containersOf(stack, 'api')).filter((id) => before.includes(id))).toEqual([]);
});

interface Config {
  services: Record<string, { ports?: { published: string; protocol: string }[]; deploy: { update_config?: object } }>;
}

/** By address, since not every machine knows names below localhost. */
function redirectOf(
  port: number,
  path: string,
): Promise<{ status?: number | undefined; location?: string | undefined }> {
  return new Promise((resolve, reject) => {
    const asked = { host: '127.0.0.1', port, path, headers: { host: production.site.host } };
    http
      .get(asked, (response) => {
        response.resume();
        resolve({ status: response.statusCode, location: response.headers.location });
      })
      .once('error', reject);
  });
}

/**
 * A rate that nothing disturbs. A machine with nothing else to do answers a quarter more than is wanted at once. Of any other, a third
 * of what it answers while nothing happens: a roll runs every replica twice, and what else it does may grow meanwhile. Five runs of these
 * tests at 200 on a machine that took longer failed nothing either, but their slowest requests took up to 5.3 s, and a pool refuses after four.
 */
async function carried(rate: number): Promise<number> {
  // What has just been started is slow at first, and told apart from a machine that has no time.
  for (let tried = 0; tried < 5; tried++) if (await answers(rate, 50)) break;
  if (await answers(rate * 1.25, 15)) return rate;
  for (let tried = rate * 2.25; tried >= 6; tried = Math.floor(tried * 0.75)) {
    if (await answers(tried, 250)) return tried / 3;
  }
  return 2;
}

async function answers(rate: number, medianMs: number): Promise<boolean> {
  const load = startLoad(door, rate, targets());
  await sleep(4000);
  const report = await load.stop();
  console.info(`at rest: ${JSON.stringify(report)}`);
  return Object.keys(report.failed).length === 0 && report.medianMs < medianMs;
}

/**
 * What people do meanwhile: read, now and then write, and look at a page. Most are strangers, whom the API answers without
 * asking Postgres: two cores run all of the stack and what asks it, and replicas that come and go lose any request as well.
 */
const targets = (): Target[] => [
  { path: '/api/accounts/me', share: 14, expects: 401 },
  { path: '/api/accounts/me', headers: { cookie }, share: 3 },
  { path: '/api/support/requests', headers: { cookie }, share: 1 },
  { path: '/api/accounts/sign-out', method: 'POST', body: '{}', share: 1 },
  { path: '/sign-in', share: 1 },
];

async function during(work: () => Promise<void>): Promise<LoadReport> {
  const load = startLoad(door, perSecond, targets());
  try {
    await sleep(1500);
    await work();
    await sleep(1500);
  } catch (error) {
    await load.stop();
    throw error;
  }
  const report = await load.stop();
  console.info(JSON.stringify(report));
  return report;
}

const scale = (service: string, replicas: number, version = former()) =>
  compose({ ...production.stack, env: { ...production.stack.env, BALLAST_VERSION: version } }, [
    ...['up', '-d', '--wait', '--no-deps', '--no-recreate', '--scale', `${service}=${replicas}`, service],
  ]);

const former = () => production.stack.env.BALLAST_VERSION ?? '';
const broken = ['CMD ["node", "-e", "process.exit(1)"]'];

function rolling(version: string) {
  const { folder, files, project, env } = production.stack;
  const named = { COMPOSE_FILE: files.join(':'), COMPOSE_PROJECT_NAME: project };
  return { cwd: folder, env: { ...env, ...named, BALLAST_VERSION: version } };
}

const roll = (version: string, services: string[] = []) =>
  run('deploy/roll.sh', services, { ...rolling(version), mayFail: true });

/** Told to end at that moment. Returns the code that it ends with. */
async function rollInterrupted(version: string, service: string, when: () => Promise<boolean>): Promise<number | null> {
  const { cwd, env } = rolling(version);
  const child = spawn(join(cwd, 'deploy/roll.sh'), [service], {
    cwd,
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  await eventually('the moment to interrupt a roll', when);
  child.kill('SIGTERM');
  return ended;
}

async function addressOf(service: string): Promise<string> {
  const [container] = await inspect(production.stack, service);
  const [network] = Object.values(container?.NetworkSettings.Networks ?? {});
  return network?.IPAddress ?? '';
}

async function sharesOf(service: string): Promise<number[]> {
  return (await inspect(production.stack, service)).map(({ HostConfig }) => HostConfig.CpuShares);
}

async function versionsOf(service: string): Promise<(string | undefined)[]> {
  return (await inspect(production.stack, service)).map(({ Config }) => Config.Labels.version);
}
