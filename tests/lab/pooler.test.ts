/**
 * The profile `pooler`, on the stack that all files look at: the API through PgBouncer, and what a crowd, a frozen client
 * and a careless one do to those who get their sessions next.
 */
import { randomUUID } from 'node:crypto';
import { type Database, type DatabaseOptions, openDatabase, readScope, sqlOf, withTenant } from '@ballast/db';
import type { Report } from '@ballast/doctor';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { linkIn, nthMail } from '../journeys/harness/inbox.ts';
import { newPerson } from '../journeys/harness/people.ts';
import { docker } from './harness/docker.ts';
import { compose, eventually, exec, inspect, query, type Stack } from './harness/stack.ts';

const base = inject('stack');
const webUrl = inject('webUrl');
/** Longer than a client waits for a session, and no longer than that needs: here somebody waits for what is frozen. */
const limitMs = 8_000;
const sessions = 8;
const stack: Stack = {
  ...base,
  env: {
    ...base.env,
    COMPOSE_PROFILES: 'pooler',
    DATABASE_POOLER: 'postgres://pooler:6432',
    REQUEST_TIMEOUT_MS: `${limitMs}`,
    POOLER_SESSIONS: `${sessions}`,
  },
};
const opened: Database[] = [];

beforeAll(async () => {
  await compose(stack, ['up', '-d', '--wait', '--build', 'pooler', 'api']);
});
afterAll(async () => {
  await Promise.all(opened.map((db) => db.close()));
  await compose(stack, ['rm', '-sf', 'pooler'], { mayFail: true });
  await compose(base, ['up', '-d', '--wait', 'api', 'web', 'worker']);
  await docker(['rmi', '-f', `ballast/pooler:${base.env.BALLAST_VERSION}`], { mayFail: true });
});

/** A pool as the API's, by the same way. */
async function open(options: Partial<DatabaseOptions> & { login?: string } = {}): Promise<Database> {
  const { login = 'ballast_app', ...rest } = options;
  const list = (await exec(stack, 'pooler', ['cat', '/run/secrets/userlist.txt'])).stdout;
  const password = new RegExp(`^"${login}" "(.+)"$`, 'm').exec(list)?.[1] ?? '';
  const [container] = await inspect(stack, 'pooler');
  const address = Object.values(container?.NetworkSettings.Networks ?? {})[0]?.IPAddress;
  const db = openDatabase({
    url: `postgres://${login}:${password}@${address}:6432/ballast`,
    applicationName: 'crowd',
    pooled: true,
    connectTimeoutSeconds: 60,
    ...rest,
  });
  opened.push(db);
  return db;
}

const doctor = async () =>
  (JSON.parse((await exec(stack, 'api', ['ballast', 'doctor', '--json'], true)).stdout) as Report).findings;
const health = async () => (await fetch(`${inject('apiUrl')}/health`)).status;

describe('the API behind PgBouncer', () => {
  test('serves, and Postgres sees nobody of it but the pooler; doctor is silent', async () => {
    const person = newPerson();
    const post = (path: string, body: unknown) =>
      fetch(`${webUrl}/api/accounts${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: webUrl },
        body: JSON.stringify(body),
      });
    expect((await post('/sign-up', person)).status).toBe(202);
    const token = new URL(linkIn(await nthMail(person.email, 1), '/verify')).searchParams.get('token');
    const verified = await post('/verify-email', { token });
    expect(verified.status, await verified.text()).toBeLessThan(300);
    const cookie = verified.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ');
    const asked = await Promise.all(
      Array.from({ length: 50 }, () => fetch(`${webUrl}/api/accounts/me`, { headers: { cookie } })),
    );
    expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([200]));
    const [pooler] = await inspect(stack, 'pooler');
    const from = await query(
      stack,
      `select distinct usename || ' ' || host(client_addr) from pg_stat_activity where application_name like 'ballast-api%' order by 1`,
    );
    const address = Object.values(pooler?.NetworkSettings.Networks ?? {})[0]?.IPAddress;
    expect(from).toEqual([`ballast_app ${address}`, `ballast_auth ${address}`]);
    await vi.waitFor(async () => expect(await doctor()).toEqual([]), { timeout: 60_000, interval: 1_000 });
  });

  test('says so when the pooler is gone, as doctor does with its name, and goes on when it is back', async () => {
    await compose(stack, ['stop', 'pooler']);
    await vi.waitFor(async () => expect(await health()).toBe(503), { timeout: 120_000, interval: 300 });
    const [found] = await doctor();
    expect(found).toMatchObject({ code: 'pooler.unreachable', symptom: 'API 503 on /health' });
    expect(found?.fix).toContain('docker compose up -d pooler');
    await compose(stack, ['start', 'pooler']);
    await vi.waitFor(async () => expect(await health()).toBe(200), { timeout: 120_000, interval: 300 });
  });

  test('does not start where the sessions have no limits, and says what to do', async () => {
    const set = (to: string) => query(stack, `alter role ballast_app ${to}`);
    await set('reset idle_in_transaction_session_timeout');
    await compose(stack, ['restart', 'pooler']);
    const refused = await compose(stack, ['run', '--rm', '--no-deps', '-T', 'api'], { mayFail: true });
    await set(`set idle_in_transaction_session_timeout = ${limitMs}`);
    await compose(stack, ['restart', 'pooler']);
    expect(refused.code).toBe(1);
    const said = refused.stdout + refused.stderr;
    expect(said).toContain('idle_in_transaction_session_timeout has no limit for ballast_app');
    expect(said).toContain(`alter role ballast_app set idle_in_transaction_session_timeout = ${limitMs};`);
    await vi.waitFor(async () => expect(await health()).toBe(200), { timeout: 120_000, interval: 300 });
  });
});

/** On a slow machine some of a crowd wait longer than the pooler lets them. They ask again, as people do. */
async function served<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!String(error).includes('query_wait_timeout')) throw error;
    }
  }
}

describe('four hundred clients', () => {
  test('share a few sessions, and none ever has the scope or the role of another', async () => {
    const crowd = await open({ maxConnections: 400 });
    const identity = await open({ maxConnections: 20, login: 'ballast_auth' });
    const me = (db: Database) =>
      served(async () => {
        const [row] = await db.sql<{ name: string; scope: string | null }[]>`
          select current_user::text as name, nullif(current_setting('app.tenant_id', true), '') as scope`;
        return row;
      });
    const visit = async () => {
      const tenant = randomUUID();
      const seen = await served(() =>
        withTenant(crowd, tenant, async (tx) => {
          const sql = sqlOf(tx);
          // What a job's transaction does, and only in here.
          await sql`set local role ballast_auth`;
          const [row] = await sql<{ name: string; scope: string }[]>`
            select current_user::text as name, current_setting('app.tenant_id') as scope, pg_sleep(0.005)`;
          return row;
        }),
      );
      expect(seen).toMatchObject({ name: 'ballast_auth', scope: tenant });
      expect(await me(crowd)).toEqual({ name: 'ballast_app', scope: null });
      // One that only reads sends begin, scope and commit with its query, and waits for none of them.
      const [read] = await served(() =>
        readScope(crowd, { tenantId: tenant }, (tx) =>
          tx.execute(`select current_user::text as name, current_setting('app.tenant_id') as scope`),
        ),
      );
      expect(read).toEqual({ name: 'ballast_app', scope: tenant });
      expect(await me(crowd)).toEqual({ name: 'ballast_app', scope: null });
    };
    const others = Array.from({ length: 100 }, async () =>
      expect(await me(identity)).toEqual({ name: 'ballast_auth', scope: null }),
    );
    await Promise.all([...Array.from({ length: 800 }, visit), ...others]);
    const [used] = await query(
      stack,
      `select count(*) filter (where usename = 'ballast_app') from pg_stat_activity where application_name = 'crowd'`,
    );
    expect(Number(used)).toBeGreaterThan(0);
    expect(Number(used)).toBeLessThanOrEqual(sessions);
  });

  test('who finds no session in time is told that the database is busy, and the next is served', async () => {
    const db = await open({ maxConnections: sessions + 4 });
    const release = Promise.withResolvers<void>();
    const started: Promise<unknown>[] = [];
    const holders = Array.from({ length: sessions }, () =>
      db.sql.begin(async (sql) => {
        // However late who waits is refused, these hold what they have until then.
        await sql.unsafe('set local transaction_timeout = 0; set local idle_in_transaction_session_timeout = 0');
        const first = sql`select 1`.execute();
        started.push(first);
        await first;
        await release.promise;
      }),
    );
    const held = Promise.all(holders);
    held.catch(() => {});
    await vi.waitFor(() => expect(started).toHaveLength(sessions), { timeout: 60_000, interval: 20 });
    await Promise.all(started);
    await expect(db.sql`select 1`).rejects.toMatchObject({
      code: '08P01',
      message: expect.stringContaining('query_wait_timeout'),
    });
    release.resolve();
    await held;
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });
});

describe('a client that freezes in a transaction', () => {
  const lock = 'pg_advisory_xact_lock(4711)';
  /** Somebody else, past the pooler, waits for the lock. Returns for how many milliseconds after a moment it was held. */
  const heldFrom = (since: string) =>
    query(stack, `select ${lock}; select extract(epoch from clock_timestamp() - '${since}') * 1000`).then((rows) =>
      Number(rows.at(-1)),
    );
  const isAwaited = () =>
    eventually(
      'somebody waits for the lock',
      async () =>
        (await query(stack, `select exists (select from pg_locks where objid = 4711 and not granted)`))[0] === 't',
    );

  test.each([
    ['between two statements', false],
    ['in the middle of one', true],
  ])('%s is ended by its limit, and what it held is free', async (_, inStatement) => {
    const db = await open({ maxConnections: 1 });
    const taken = Promise.withResolvers<string>();
    const heldMs = taken.promise.then(heldFrom);
    const awaited = taken.promise.then(() => Promise.race([heldMs, isAwaited()]));
    const frozen = db.sql.begin(async (sql) => {
      const [row] = await sql.unsafe<{ at: string }[]>(`select clock_timestamp()::text as at, ${lock}`);
      taken.resolve(row?.at ?? '');
      await awaited;
      if (!inStatement) return new Promise<never>(() => {});
      // A statement's first use takes two messages. The loop is held after the first of them.
      const waits = sql`select ${1}::int as one`.execute();
      waits.catch(() => {});
      for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
      const until = performance.now() + limitMs + 1_000;
      while (performance.now() < until);
      return waits;
    });
    await expect(frozen).rejects.toThrow(/CONNECTION_CLOSED|timeout|terminat/);
    expect(await heldMs).toBeGreaterThan(limitMs - 500);
    expect(await heldMs).toBeLessThan(limitMs + 5_000);
  });
});
