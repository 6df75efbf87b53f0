import { createTestDatabase, onServer, type TestDatabase } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { schedules } from './generated/schedules.ts';
import { signedCookie } from './testing/signed-cookie.ts';
import { killStarted, start, untilReady } from './testing/start-process.ts';

const key = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
afterEach(killStarted);

async function settings(): Promise<Record<string, string>> {
  return {
    BALLAST_ENV: 'local',
    DATABASE_URL: database.appUrl,
    DATABASE_DISPATCHER_URL: database.dispatcherUrl,
    AUTH_SECRET: key,
    API_PORT: String(await freePort()),
    WORKER_PORT: String(await freePort()),
    // What ends here ends by itself, or by the second signal.
    SHUTDOWN_GRACE_MS: '60000',
  };
}

/** How long a request may wait for a lock that a test holds: until that has seen all that it wants to see. */
const patient = { REQUEST_TIMEOUT_MS: '60000' };

describe('the api as a process', () => {
  it('finishes the request under way after SIGTERM, and exits with 0', async () => {
    const env = await settings();
    const api = start('main', { ...env, ...patient });
    const origin = await untilReady(env.API_PORT, api);
    await onServer(database.adminUrl, async (admin) => {
      const lock = await admin.reserve();
      await lock`begin`;
      await lock`lock table accounts.session in access exclusive mode`;
      const slow = fetch(`${origin}/api/accounts/me`, { headers: { cookie: await signedCookie(key) } });
      for (;;) {
        const [waiting] =
          await lock`select 1 from pg_locks where not granted and relation = 'accounts.session'::regclass`;
        if (waiting) break;
      }
      api.child.kill('SIGTERM');
      await expect.poll(() => fetch(`${origin}/livez`).catch(() => 'refused')).toBe('refused');
      await lock`commit`;
      const response = await slow;
      expect(response.status).toBe(401);
      expect(response.headers.get('connection')).toBe('close');
    });
    expect(await api.exited).toBe(0);
    expect(api.said()).toContain('"released"');
  });

  it('leaves at once at the second signal', async () => {
    const env = await settings();
    const api = start('main', { ...env, ...patient, DISABLE_BACKGROUND_WORKERS: 'true' });
    const origin = await untilReady(env.API_PORT, api);
    await onServer(database.adminUrl, async (admin) => {
      const lock = await admin.reserve();
      await lock`begin`;
      await lock`lock table accounts.session in access exclusive mode`;
      const cut = fetch(`${origin}/api/accounts/me`, { headers: { cookie: await signedCookie(key) } }).catch(
        () => 'cut',
      );
      for (;;) {
        const [waiting] =
          await lock`select 1 from pg_locks where not granted and relation = 'accounts.session'::regclass`;
        if (waiting) break;
      }
      api.child.kill('SIGINT');
      await expect.poll(() => api.said()).toContain('draining');
      api.child.kill('SIGINT');
      expect(await api.exited).toBe(130);
      expect(await cut).toBe('cut');
      await lock`rollback`;
    });
  });

  it('ends when Postgres would lose commits, and says what to set', async () => {
    const lossy = await createTestDatabase();
    await onServer(lossy.adminUrl, async (admin) => {
      await admin.unsafe(`alter role ballast_app in database ${lossy.name} set synchronous_commit = off`);
    });
    const api = start('main', {
      ...(await settings()),
      DATABASE_URL: lossy.appUrl,
      DISABLE_BACKGROUND_WORKERS: 'true',
    });
    expect(await api.exited).toBe(1);
    expect(api.said()).toContain('Postgres runs with synchronous_commit = off');
    await lossy.drop();
  });

  it('starts and takes writes while neither Redis is there, and keeps their jobs', async () => {
    const nowhere = `redis://127.0.0.1:${await freePort()}`;
    const env: Record<string, string> = { ...(await settings()), REDIS_QUEUE_URL: nowhere, REDIS_URL: nowhere };
    const api = start('main', env);
    const origin = await untilReady(env.API_PORT, api);
    const response = await fetch(`${origin}/api/accounts/sign-up`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'http://localhost:3000' },
      body: JSON.stringify({ name: 'Ada', email: 'ada@acme.test', password: 'correct horse battery staple' }),
    });
    expect(response.status).toBe(202);
    const waiting = await onServer(
      database.ownerUrl,
      (owner) => owner`select name from jobs.status where state = 'pending'`,
    );
    expect(waiting).toEqual([{ name: 'accounts.send-verification' }]);
    api.child.kill('SIGTERM');
    expect(await api.exited).toBe(0);
  });

  it('shows its metrics on a port of their own only', async () => {
    const env: Record<string, string> = { ...(await settings()), METRICS_PORT: String(await freePort()) };
    const api = start('main', { ...env, DISABLE_BACKGROUND_WORKERS: 'true' });
    const origin = await untilReady(env.API_PORT, api);
    for (const path of ['/metrics', '/api/metrics']) expect((await fetch(`${origin}${path}`)).status).toBe(404);
    const response = await fetch(`http://127.0.0.1:${env.METRICS_PORT}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    const metrics = await response.text();
    expect(metrics).toMatch(/^ballast_build_info\{service="api",release="[^"]+",node="[^"]+"\} 1$/m);
    expect(metrics).toContain('ballast_http_request_seconds_count{method="GET",route="none",status="4xx"} 2');
    api.child.kill('SIGTERM');
    expect(await api.exited).toBe(0);
  });

  it('says everything that is wrong with its configuration, and exits with 1', async () => {
    const api = start('main', { BALLAST_ENV: 'production', API_PORT: 'x' });
    expect(await api.exited).toBe(1);
    expect(api.said()).toMatch(/^The api cannot start: \d+ problems in its configuration\.\n- /);
    expect(api.said()).toContain('- API_PORT must be a number.');
    expect(api.said()).not.toMatch(/\n\s+at /);
  });
});

describe('the worker as a process', () => {
  it('is ready once it takes jobs, answers probes only, and exits with 0', async () => {
    const env = await settings();
    const worker = start('workers-standalone', env);
    const origin = await untilReady(env.WORKER_PORT, worker);
    await expect
      .poll(async () => (await fetch(`${origin}/health`)).json(), { timeout: 30_000 })
      .toMatchObject({ status: 'healthy' });
    expect((await fetch(`${origin}/api/accounts/me`)).status).toBe(404);
    const metrics = async () => (await fetch(`${origin}/metrics`)).text();
    // The queue is counted from its first heartbeat on. A schedule whose time is now may have added a job.
    await expect
      .poll(metrics, { timeout: 60_000, interval: 500 })
      .toMatch(/ballast_queue_pending_jobs\{queue="default"\} \d+\n/);
    expect(await metrics()).toContain('ballast_postgres_up 1\n');
    await onServer(database.dispatcherUrl, async (dispatcher) => {
      const rows = await dispatcher`select name, next_slot > now() as ahead from jobs.schedule order by name`;
      const known = schedules.map(({ name }) => name).sort();
      expect(known).toContain('accounts.remove-expired-sessions');
      expect(rows).toEqual(known.map((name) => ({ name, ahead: true })));
    });
    worker.child.kill('SIGTERM');
    expect(await worker.exited).toBe(0);
  });
});

describe('the migration as a process', () => {
  it('brings an empty database up to date once, however many start', async () => {
    const empty = await createTestDatabase({ empty: true });
    const env = { DATABASE_OWNER_URL: empty.ownerUrl };
    const all = [start('migrate', env), start('migrate', env), start('migrate', env)];
    expect(await Promise.all(all.map(({ exited }) => exited)), all.map(({ said }) => said()).join('')).toEqual([
      0, 0, 0,
    ]);
    const applied = all.flatMap(({ said }) => said().match(/"db\/0001_scope"/g) ?? []);
    expect(applied).toHaveLength(1);
    // BullMQ makes each queue's sequence as the dispatcher, and the next deployment must not stumble over it.
    await onServer(empty.dispatcherUrl, (dispatcher) => dispatcher.unsafe('create sequence bullmq.bullmq_jid_test'));
    expect(await start('migrate', env).exited).toBe(0);
    await empty.drop();
  });

  it('says what it could not reach, and exits with 1', async () => {
    const migrate = start('migrate', { DATABASE_OWNER_URL: 'postgres://owner:k3Wq9@127.0.0.1:9/ballast' });
    expect(await migrate.exited).toBe(1);
    expect(migrate.said()).toContain('Postgres cannot be reached at 127.0.0.1:9');
    expect(migrate.said()).not.toContain('k3Wq9');
  });
});
