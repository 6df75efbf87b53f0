import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding, Report } from '@ballast/doctor';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { openJobs } from './harness/jobs-load.ts';
import { type LoadReport, startLoad } from './harness/load.ts';
import { settle } from './harness/production.ts';
import { expands, forgetReleases, release, whetherExpanded } from './harness/release.ts';
import { compose, type Inspected } from './harness/stack.ts';
import { type Swarm, startSwarm } from './harness/swarm.ts';
import { visit } from './harness/visit.ts';

const perSecond = 15;

let swarm: Swarm;
let cookie: string;
const former = () => inject('stack').env.BALLAST_VERSION ?? '';

async function doctor(): Promise<Finding[]> {
  const [api = ''] = await swarm.containersOf('api');
  const { stdout } = await swarm.on(['exec', api, 'ballast', 'doctor', '--json'], { mayFail: true });
  return (JSON.parse(stdout) as Report).findings;
}

beforeAll(async () => {
  swarm = await startSwarm(inject('stack'));
  // A sign-up through Caddy: an account, a job, its mail, and the link in it.
  cookie = await settle(swarm);
});
afterAll(async () => {
  await swarm?.end();
  await forgetReleases(['swarm-next', 'swarm-broken']);
});

test('the three files make a stack that serves through Caddy, on the node’s own address', async () => {
  expect((await visit(swarm.site, '/sign-in')).status).toBe(200);
  const me = await visit(swarm.site, '/api/accounts/me', { headers: { cookie } });
  expect(me.status).toBe(200);
  expect((await swarm.deploy({}, '--render')).stdout).toMatch(/published: 443|mode: host/);
});

test('each container has its own secrets, its limits and no rights', async () => {
  for (const [service, secret] of [
    ['api', 'auth_secret'],
    ['worker', 'database_dispatcher_url'],
    ['redis-queue', 'users.acl'],
  ] as const) {
    const [id = ''] = await swarm.containersOf(service);
    const [container] = JSON.parse((await swarm.on(['inspect', id])).stdout) as [Inspected];
    expect(container.HostConfig, service).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'], Init: true });
    expect(container.HostConfig.Memory, service).toBeGreaterThan(0);
    expect(container.HostConfig.NanoCpus, service).toBeGreaterThan(0);
    const held = (await swarm.on(['exec', id, 'ls', '/run/secrets'])).stdout.split('\n');
    expect(held, service).toContain(secret);
    expect(held, service).not.toContain('database_owner_url');
  }
  const names = (await swarm.on(['secret', 'ls', '--format', '{{.Name}}'])).stdout;
  expect(names).toContain('-migrate-database_owner_url-');
});

test('doctor’s commands are those of the stack, and the one for workers that are gone brings them back', async () => {
  const worker = `${swarm.name}_worker`;
  await swarm.on(['service', 'scale', '--detach', `${worker}=0`]);
  const gone = await vi.waitFor(
    async () => {
      const found = (await doctor()).find(({ code }) => code === 'workers.none');
      expect(found).toBeDefined();
      return found as Finding;
    },
    { timeout: 90_000, interval: 1_000 },
  );
  const [, command = ''] = /^docker (service update .+?) \(why it ended: docker service logs/.exec(gone.fix) ?? [];
  expect(command).toContain(worker);
  expect(JSON.stringify(await doctor())).not.toContain('docker compose');
  await swarm.on(['service', 'scale', '--detach', `${worker}=0`]);
  await swarm.on(command.replace('--replicas 2', '--replicas 1').split(' '));
  await vi.waitFor(async () => expect((await doctor()).map(({ code }) => code)).not.toContain('workers.none'), {
    timeout: 60_000,
    interval: 1_000,
  });
});

test('the profiles backup and pooler: backups beside Postgres, as doctor advises, and requests through PgBouncer', async () => {
  const none = (await doctor()).find(({ code }) => code === 'backups.none');
  expect(none?.fix).toBe('COMPOSE_PROFILES=backup deploy/stack.sh');
  await compose(inject('stack'), ['build', 'backup', 'pooler']);
  const { code, stderr } = await swarm.deploy({
    COMPOSE_PROFILES: 'backup,pooler',
    DATABASE_POOLER: 'postgres://pooler:6432',
  });
  expect(code, stderr).toBe(0);
  expect((await visit(swarm.site, '/api/accounts/me', { headers: { cookie } })).status).toBe(200);
  // Only a pooler's sessions log in as identity; the API's own put the role on.
  const logins = "select distinct usename from pg_stat_activity where application_name = 'ballast-api-auth'";
  await vi.waitFor(async () => expect(await swarm.query(logins)).toEqual(['ballast_auth']), {
    timeout: 120_000,
    interval: 500,
  });
  // The service says what it has after the drill that proves it.
  const proven = `select exists (select from ballast.restore_drill where proven)
                  and exists (select from ballast.backup_state where backup is not null)`;
  await vi.waitFor(async () => expect(await swarm.query(proven)).toEqual(['t']), { timeout: 400_000, interval: 1_000 });
  expect((await doctor()).filter(({ code }) => /^(?:backups|restore|pooler)\./.test(code))).toEqual([]);
  const [id = ''] = await swarm.containersOf('backup');
  expect((await swarm.on(['exec', id, 'ls', '/run/secrets'])).stdout.split('\n')).toContain('backup_key');
});

test('what is not made for a Swarm is refused in words', async () => {
  const refused = await swarm.deploy({ COMPOSE_PROFILES: 'observability' });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('is not made for Swarm') });
});

test('a new version, new replicas first: no failed request, no lost or doubled job', async () => {
  await release(former(), 'swarm-next', expands);
  const jobs = await openJobs(swarm, cookie);
  const feed = jobs.feed(3);
  const before = await ranMigrations();
  const report = await during(async () => {
    const { code, stderr } = await swarm.deploy({ BALLAST_VERSION: 'swarm-next' });
    expect(code, stderr).toBe(0);
  });
  expect(await feed.stop()).toBeGreaterThan(20);
  expect(report.failed).toEqual({});
  expect(report.sent).toBeGreaterThan(100);
  for (const service of ['api', 'worker', 'web']) {
    expect(await imageOf(service)).toBe(`ballast/${service === 'web' ? 'web' : 'api'}:swarm-next`);
  }
  // Its one address has room for one.
  expect(await imageOf('caddy')).toBe(`ballast/caddy:${inject('stack').env.BALLAST_VERSION}`);
  expect(await ranMigrations()).toBe(before + 1);
  expect(await swarm.query(whetherExpanded)).toEqual(['t|t']);
  await jobs.allOnce();
});

test('a restore, as docs/backups.md says: what came after the moment is gone, and its jobs are held until they are released', async () => {
  const ask = (subject: string) =>
    visit(swarm.site, '/api/support/requests', {
      ...{ method: 'POST', headers: { cookie }, body: JSON.stringify({ subject, body: 'by a person' }) },
    });
  const inWorker = async (...words: string[]) => {
    const [worker = ''] = await swarm.containersOf('worker');
    return (await swarm.on(['exec', worker, 'ballast', 'jobs', ...words])).stdout;
  };
  const subjects = () =>
    swarm.query(`select subject from support.request where subject like '%the moment' order by subject`);
  // So that its job is open at the moment to which is restored.
  await inWorker('pause', 'default');
  expect((await ask('Before the moment')).status).toBe(201);
  const [moment = ''] = await swarm.query(
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
  );
  expect((await ask('After the moment')).status).toBe(201);
  expect(await subjects()).toEqual(['After the moment', 'Before the moment']);
  const [segment = ''] = await swarm.query('select pg_walfile_name(pg_switch_wal())');
  expect(segment).toMatch(/^[0-9A-F]{24}$/);
  const saved = `select last_archived_wal >= '${segment}' and not exists (
    select from pg_ls_dir('/var/run/postgresql/pgbackrest') as name where name ~ '^[0-9A-F]{24}$') from pg_stat_archiver`;
  await vi.waitFor(async () => expect(await swarm.query(saved)).toEqual(['t']), { timeout: 60_000, interval: 500 });

  const { code, stdout, stderr } = await swarm.deploy({ COMPOSE_PROFILES: 'backup' }, '--restore', moment);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/^1 jobs were open then and are held/m);
  await vi.waitFor(
    async () => expect((await visit(swarm.site, '/api/accounts/me', { headers: { cookie } })).status).toBe(200),
    { timeout: 120_000, interval: 500 },
  );
  expect(await subjects()).toEqual(['Before the moment']);
  expect(await swarm.query(`select name, state from jobs.status where state <> 'done'`)).toEqual([
    'support.send-request|held',
  ]);
  const held = (await doctor()).find(({ code }) => code === 'jobs.held');
  expect(held?.evidence).toEqual(['1 job support.send-request in default']);
  const jobs = `docker exec $(docker ps -qf name=${swarm.name}_worker | head -n 1) ballast jobs`;
  expect(held?.fix).toBe(`${jobs} list --state held; jobs cancel what must not run again, then: ${jobs} release --all`);

  expect(await inWorker('list', '--state', 'held')).toContain('support.send-request');
  await inWorker('resume', 'default');
  await inWorker('release', '--all');
  const delivered = `select state from support.request where subject = 'Before the moment'`;
  await vi.waitFor(async () => expect(await swarm.query(delivered)).toEqual(['delivered']), {
    timeout: 60_000,
    interval: 500,
  });
  expect((await swarm.mails()).filter(({ subject }) => subject.endsWith('the moment'))).toHaveLength(1);
  expect((await swarm.on(['service', 'ls', '--format', '{{.Name}}'])).stdout).not.toContain('_restore');
});

test('a version that does not start is taken back, by name, and nobody notices', async () => {
  await release(former(), 'swarm-broken', ['CMD ["node", "-e", "process.exit(1)"]']);
  const report = await during(async () => {
    const { code, stderr } = await swarm.deploy({ BALLAST_VERSION: 'swarm-broken' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/(api|web): the new version did not become healthy, the former one stays/);
  });
  expect(report.failed).toEqual({});
  expect(await imageOf('api')).toBe('ballast/api:swarm-next');
});

async function during(work: () => Promise<void>): Promise<LoadReport> {
  const load = startLoad(swarm.site, perSecond, [
    { path: '/api/accounts/me', headers: { cookie }, share: 8 },
    { path: '/api/support/requests', headers: { cookie }, share: 4 },
    { path: '/api/accounts/sign-out', method: 'POST', body: '{}', share: 1 },
    { path: '/sign-in', share: 1 },
  ]);
  let report: LoadReport;
  try {
    await sleep(1500);
    await work();
    await sleep(1500);
  } finally {
    report = await load.stop();
  }
  console.info(JSON.stringify(report));
  return report;
}

const imageOf = async (service: string) =>
  (
    await swarm.on([
      'service',
      'inspect',
      '-f',
      '{{.Spec.TaskTemplate.ContainerSpec.Image}}',
      `${swarm.name}_${service}`,
    ])
  ).stdout.trim();

/** How often the job of the migration ended well. */
async function ranMigrations(): Promise<number> {
  const { stdout } = await swarm.on(['service', 'ps', '--format', '{{.CurrentState}}', `${swarm.name}_migrate`]);
  return stdout.split('\n').filter((state) => state.startsWith('Complete')).length;
}
