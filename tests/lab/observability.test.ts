import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@ballast/test-kit/free-port';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { root } from '../../scripts/start/settings.ts';
import { newPerson } from '../journeys/harness/people.ts';
import { labelsOf, misplaced, readBoards } from './harness/dashboards.ts';
import { docker } from './harness/docker.ts';
import { compose, eventually, exec, query, type Stack } from './harness/stack.ts';

/** Debian's Prometheus stands in under this name; Grafana has no stand-in, so what it is given is checked. */
const image = 'prom/prometheus:latest';
const base = inject('stack');
const folder = join(root, 'deploy/observability');
const boards = readBoards(join(folder, 'grafana/dashboards'));
let stack: Stack;
let url: string;

beforeAll(async () => {
  const port = await freePort();
  stack = { ...base, env: { ...base.env, PROMETHEUS_IMAGE: image, PROMETHEUS_PORT: `${port}` } };
  url = `http://localhost:${port}`;
  await compose(stack, ['--profile', 'observability', 'up', '-d', '--no-deps', '--wait', 'prometheus']);
});

// The other files look at what one command starts.
afterAll(() => compose(stack, ['--profile', 'observability', 'rm', '-sfv', 'prometheus']));

const promtool = (args: readonly string[], input?: string) =>
  docker(['run', '--rm', '-i', '-v', `${folder}:/etc/prometheus:ro`, '--entrypoint', '/bin/promtool', image, ...args], {
    input,
    mayFail: true,
  });

async function ask<Data>(path: string): Promise<Data> {
  const response = await fetch(`${url}/api/v1/${path}`);
  return ((await response.json()) as { data: Data }).data;
}

test("Prometheus' own tool accepts the configuration, the rules and what the rules are to do", async () => {
  for (const args of [
    ['check', 'config', '/etc/prometheus/prometheus.yml'],
    ['check', 'rules', '/etc/prometheus/alerts.yml'],
    ['test', 'rules', '/etc/prometheus/alerts.test.yml'],
  ]) {
    const { code, stdout, stderr } = await promtool(args);
    expect(code, stdout + stderr).toBe(0);
  }
});

test.each([
  ['api', 3003],
  ['worker', 3002],
] as const)("Prometheus' own tool accepts the metrics of %s", async (service, port) => {
  const read = `fetch('http://127.0.0.1:${port}/metrics').then((r) => r.text()).then((t) => process.stdout.write(t))`;
  const metrics = (await exec(stack, service, ['node', '-e', read])).stdout;
  expect(metrics).toContain('ballast_build_info');
  const { code, stdout, stderr } = await promtool(['check', 'metrics'], metrics);
  expect(stdout + stderr).not.toMatch(/ballast_/);
  expect(code, stdout + stderr).toBeLessThanOrEqual(3);
});

test('finds API and worker by itself', async () => {
  await eventually('api and worker are scraped', async () => {
    const { activeTargets } = await ask<{ activeTargets: { labels: { job: string }; health: string }[] }>('targets');
    const well = activeTargets.filter(({ health }) => health === 'up').map(({ labels }) => labels.job);
    return ['api', 'worker'].every((job) => well.includes(job));
  });
});

test('every metric of the alerts and the dashboards is one that the processes have', async () => {
  const documented = readFileSync(join(root, 'docs/jobs.md'), 'utf8').match(/ballast_\w+/g) ?? [];
  const known = new Set(documented.flatMap((name) => [name, `${name}_bucket`, `${name}_count`, `${name}_sum`]));
  const names = readdirSync(join(folder, 'grafana/dashboards')).map((name) => join('grafana/dashboards', name));
  expect(names.length).toBeGreaterThanOrEqual(3);
  for (const name of [...names, 'alerts.yml']) {
    const used = readFileSync(join(folder, name), 'utf8').match(/ballast_\w+/g) ?? [];
    expect(used.length, name).toBeGreaterThan(3);
    expect(
      used.filter((metric) => !known.has(metric)),
      name,
    ).toEqual([]);
  }
});

test('what Grafana is given fits together: its source, where it looks, and each panel on a place of its own', async () => {
  const yaml = (name: string) => readFileSync(join(folder, 'grafana/provisioning', name), 'utf8');
  const source = yaml('datasources/prometheus.yml');
  const uid = /^ +uid: (\S+)$/m.exec(source)?.[1];
  const [, host, port] = /^ +url: http:\/\/(\w+):(\d+)$/m.exec(source) ?? [];
  const config = await compose(stack, ['--profile', 'observability', 'config', '--format', 'json']);
  const { services } = JSON.parse(config.stdout) as { services: Record<string, Service | undefined> };
  const { prometheus, grafana } = services;
  expect(Object.keys(prometheus?.networks ?? {})).toEqual(expect.arrayContaining(Object.keys(grafana?.networks ?? {})));
  expect({ host, port }).toEqual({ host: 'prometheus', port: `${prometheus?.ports[0]?.target}` });
  const mounted = Object.fromEntries(grafana?.volumes.map(({ source, target }) => [target, source]) ?? []);
  expect(mounted['/etc/grafana/provisioning']).toBe(join(stack.folder, 'deploy/observability/grafana/provisioning'));
  const looks = /^ +path: (\S+)$/m.exec(yaml('dashboards/ballast.yml'))?.[1] ?? '';
  expect(mounted[looks]).toBe(join(stack.folder, 'deploy/observability/grafana/dashboards'));
  expect(new Set(boards.map((board) => board.uid)).size).toBe(boards.length);
  for (const board of boards) {
    expect(misplaced(board), board.file).toEqual([]);
    expect(new Set(board.panels.map(({ id }) => id)).size, board.file).toBe(board.panels.length);
    for (const { title, type, datasource, targets } of board.panels) {
      expect({ type, datasource }, title).toEqual({ type: 'timeseries', datasource: { type: 'prometheus', uid } });
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    }
  }
});

interface Alert {
  state: string;
  labels: { alertname: string; job?: string };
  annotations: { symptom: string; summary: string };
}

async function firing(): Promise<Alert[]> {
  const { alerts } = await ask<{ alerts: Alert[] }>('alerts');
  return alerts.filter(({ state }) => state === 'firing');
}

/** What stands between the fault and the alert: a scrape, an evaluation, and the rule's own patience. */
async function fires(alertname: string, symptom: string): Promise<Alert> {
  let found: Alert | undefined;
  await eventually(
    `${alertname} fires`,
    async () => {
      found = (await firing()).find(({ labels }) => labels.alertname === alertname);
      return found !== undefined;
    },
    150_000,
  );
  expect(found?.annotations.symptom).toBe(symptom);
  return found as Alert;
}

const mails = 'emails never arrive, jobs pile up';

/** How fast the machine is, which others use too: such an alert may wait here, and not fire. */
const ofTheMachine = ['SlowRequests', 'EventLoopStalls'];

test('a healthy stack alerts nobody, and after two minutes of looking none is about to', async () => {
  const { startTime } = await ask<{ startTime: string }>('status/runtimeinfo');
  await eventually(
    'rules have been asked for two minutes',
    async () => {
      const { groups } = await ask<{ groups: { lastEvaluation: string }[] }>('rules');
      return groups.every(({ lastEvaluation }) => Date.parse(lastEvaluation) - Date.parse(startTime) > 120_000);
    },
    150_000,
  );
  const { alerts } = await ask<{ alerts: Alert[] }>('alerts');
  expect(alerts.filter(({ state, labels }) => state === 'firing' || !ofTheMachine.includes(labels.alertname))).toEqual(
    [],
  );
});

test('the first dead job alerts, by its name', async () => {
  const job = 'accounts.send-verification';
  // What this build cannot read fails for good at its first run.
  await query(
    stack,
    `set role ballast_dispatcher;
     select id from jobs.add('${job}', 1, 'default', 3::smallint, null, null, '{}', null,
       array[uuidv7()], array['{"unreadable":true}'], null, null, null, null, null)`,
  );
  try {
    const alert = await fires('JobsDied', mails);
    expect(alert.labels.job).toBe(job);
    expect(alert.annotations.summary).toContain(job);
  } finally {
    // Doctor would speak of it in the other files.
    await query(stack, `delete from jobs.job where state = 'dead'`);
  }
});

test('queue and cache that are away alert', async () => {
  await compose(stack, ['stop', 'redis-queue', 'redis-cache']);
  try {
    await Promise.all([fires('QueueRedisAway', mails), fires('CacheRedisAway', 'Redis errors, flaky rate limits')]);
  } finally {
    await compose(stack, ['up', '-d', '--wait', 'redis-queue', 'redis-cache']);
  }
});

test('a stack without a worker alerts in the words of the failure matrix', async () => {
  await compose(stack, ['stop', 'worker']);
  try {
    await fires('WorkersAbsent', mails);
  } finally {
    await compose(stack, ['up', '-d', '--wait', 'worker']);
  }
});

/** As Grafana asks: a range, in steps. */
async function series(expr: string): Promise<{ metric: Record<string, string> }[]> {
  const now = Date.now() / 1_000;
  const asked = new URLSearchParams({ query: expr, start: `${now - 900}`, end: `${now}`, step: '15' });
  return (await ask<{ result: { metric: Record<string, string> }[] }>(`query_range?${asked}`)).result;
}

test('every panel shows something of a stack that worked and had its troubles, under the labels that its legend names', async () => {
  const sign = (path: string) =>
    fetch(`${inject('apiUrl')}/api/accounts/${path}`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json', origin: inject('webUrl') } },
      body: JSON.stringify(newPerson()),
    });
  expect((await sign('sign-up')).status).toBeLessThan(300);
  await compose(stack, ['stop', 'postgres']);
  try {
    expect((await sign('sign-up')).status).toBe(503);
  } finally {
    await compose(stack, ['up', '-d', '--wait', 'postgres']);
  }
  let shown = 0;
  for (const { file, panels } of boards) {
    for (const { title, targets } of panels) {
      for (const { expr, legendFormat } of targets) {
        let found: Awaited<ReturnType<typeof series>> = [];
        await eventually(
          `${file}, ${title} shows ${expr}`,
          async () => {
            found = await series(expr);
            return found.length > 0;
          },
          90_000,
        );
        for (const { metric } of found) {
          expect(Object.keys(metric), `${file}, ${title}`).toEqual(expect.arrayContaining(labelsOf(legendFormat)));
        }
        shown += 1;
      }
    }
  }
  expect(shown).toBeGreaterThan(20);
});

interface Service {
  networks: Record<string, unknown>;
  ports: { target: number }[];
  volumes: { source: string; target: string }[];
}
