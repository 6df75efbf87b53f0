import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { openTcpProxy } from '@ballast/test-kit/tcp-proxy';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database, DatabaseOptions } from './client.ts';
import { openPools } from './pools.ts';

let database: TestDatabase;
let admin: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  admin = openPatiently({ url: database.adminUrl, applicationName: 'admin', maxConnections: 1 });
});

afterAll(async () => {
  await admin.close();
  await database.drop();
});

type Work = (sql: postgres.Sql) => Promise<unknown>;

/** Each kind of work that holds a connection. Without the patch of postgres.js (docs/decisions/0015) transactions hang. */
const kinds: [string, Work][] = [
  ['a query', (sql) => sql`select pg_sleep(0.01)`],
  [
    'a transaction',
    (sql) =>
      sql.begin(async (tx) => {
        await tx`select pg_sleep(0.01)`;
        await tx`select 1`;
      }),
  ],
  [
    'pipelined statements of a transaction',
    (sql) => sql.begin((tx) => Promise.all([tx`select pg_sleep(0.01)`, tx`select 1`, tx`select 2`])),
  ],
  [
    'a transaction that only reads',
    (sql) =>
      sql.begin('read only', async (tx) => {
        await Promise.all([tx`select pg_sleep(0.01)`, tx`select ${1}::int`]);
        await tx`select 2`;
      }),
  ],
];

describe('a pool whose sessions Postgres ends', () => {
  it.each(kinds)('fails %s, and goes on', async (name, work) => {
    const db = openPatiently({ url: database.appUrl, applicationName: name, maxConnections: 3 });
    let [worked, failed, stopped] = [0, 0, false];
    const loops = Array.from({ length: 3 }, async () => {
      while (!stopped) {
        try {
          await work(db.sql);
          worked += 1;
        } catch {
          failed += 1;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    });
    const progress = async (by: number) => {
      const before = worked;
      await expect.poll(() => worked - before, { timeout: 60_000 }).toBeGreaterThan(by);
    };
    for (let strike = 0; strike < 5; strike++) {
      await progress(10);
      await admin.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name}`;
    }
    await progress(20);
    stopped = true;
    await Promise.all(loops);
    expect(failed).toBeGreaterThan(0);
    await db.close();
  });

  it('never runs the rest of a transaction on another connection', async () => {
    const db = openPatiently({ url: database.appUrl, applicationName: 'orphan', maxConnections: 1 });
    const gone = Promise.withResolvers<void>();
    const left: unknown[] = [];
    const lost = db.sql.begin(async (tx) => {
      await tx`select pg_terminate_backend(pg_backend_pid())`.catch(() => {});
      await gone.promise;
      left.push(
        await tx`select 1`.then(
          () => 'ran',
          (error) => error.code,
        ),
      );
    });
    expect(await lost.catch((error: Error) => error.message)).toMatch(/CONNECTION_CLOSED|terminating/);
    const next = db.sql.begin(async (tx) => {
      gone.resolve();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return tx`select 2 as two`;
    });
    expect(await next).toEqual([{ two: 2 }]);
    expect(left).toEqual(['CONNECTION_CLOSED']);
    await db.close();
  });
});

describe('a pool whose connections are reset', () => {
  it('gives no statement the answer of another one', async () => {
    const proxy = await openTcpProxy(database.appUrl);
    const db = openPatiently({ url: proxy.url, applicationName: 'reset', maxConnections: 1 });
    for (let strike = 0; strike < 10; strike++) {
      const cut = db.sql.begin(async (tx) => {
        await tx`select ${strike}::int as n`;
        proxy.reset();
        await tx`select pg_sleep(1)`;
      });
      expect(await cut.catch((error: { code: string }) => error.code)).toMatch(/ECONNRESET|CONNECTION_CLOSED|EPIPE/);
      const answers = db.sql.begin((tx) => Promise.all([1, 2, 3].map((n) => tx`select ${n}::int as n`)));
      expect((await answers).flat()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    }
    await db.close();
    await proxy.close();
  });
});

describe('a pool whose connections were forgotten on the way', () => {
  it('gives up the statement that waits, and every connection with it', async () => {
    const proxy = await openTcpProxy(database.appUrl);
    const db = openPatiently({ url: proxy.url, applicationName: 'silent', maxConnections: 4, answerTimeoutMs: 5_000 });
    await Promise.all(Array.from({ length: 4 }, () => db.sql`select pg_sleep(0.1)`));
    expect(proxy.forget()).toBe(4);
    const askedAt = performance.now();
    await expect(db.sql`select 1`).rejects.toMatchObject({ code: 'CONNECTION_SILENT' });
    expect(performance.now() - askedAt).toBeGreaterThanOrEqual(4_990);
    // The other three are as dead, and none of them would ever answer: whoever comes next must not find that out one by one.
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
    await db.close();
    await proxy.close();
  });

  it('is known by a begin that nobody answers, however long a statement may take; a slow statement is none', async () => {
    const proxy = await openTcpProxy(database.appUrl);
    const db = openPatiently({ url: proxy.url, applicationName: 'begin', maxConnections: 2, answerTimeoutMs: 60_000 });
    const slow = await db.sql.begin((tx) => tx`select pg_sleep(5), 1 as one`);
    expect(slow).toMatchObject([{ one: 1 }]);
    proxy.forget();
    const begunAt = performance.now();
    await expect(db.sql.begin((tx) => tx`select 1`)).rejects.toMatchObject({ code: 'CONNECTION_SILENT' });
    expect(performance.now() - begunAt).toBeLessThan(30_000);
    expect(await db.sql.begin((tx) => tx`select 1 as one`)).toEqual([{ one: 1 }]);
    // The same of one that waits for no begin: its first statement may take long, and the begin in front of it may not.
    expect(await db.sql.begin('read only', (tx) => tx`select pg_sleep(5), 1 as one`)).toMatchObject([{ one: 1 }]);
    await expect.poll(() => openPools().get('begin')?.used).toBe(0);
    proxy.forget();
    const readAt = performance.now();
    await expect(db.sql.begin('read only', (tx) => tx`select 1`)).rejects.toMatchObject({ code: 'CONNECTION_SILENT' });
    expect(performance.now() - readAt).toBeLessThan(30_000);
    await db.close();
    await proxy.close();
  });

  it('waits for an answer that comes in pieces, however long it takes in all', async () => {
    const db = openPatiently({
      url: database.appUrl,
      applicationName: 'slow',
      maxConnections: 1,
      answerTimeoutMs: 5_000,
    });
    const pieces = Promise.all(Array.from({ length: 30 }, () => db.sql`select pg_sleep(0.2)`));
    expect(await pieces).toHaveLength(30);
    await expect(db.sql`select pg_sleep(60)`).rejects.toMatchObject({ code: 'CONNECTION_SILENT' });
    await db.close();
  });

  it('ends a transaction that froze between two messages of one statement', async () => {
    // It is Postgres that ends it: the pool itself is to wait for longer than the loop may be held.
    const limits = { idleInTransactionTimeoutMs: 500, transactionTimeoutMs: 1_000, answerTimeoutMs: 30_000 };
    const db = openPatiently({ url: database.appUrl, applicationName: 'frozen', maxConnections: 1, ...limits });
    const frozen = db.sql.begin(async (tx) => {
      await tx`select 1`;
      // A statement's first use takes two messages. The loop is held after the first of them.
      const waits = tx`select ${1}::int as one`.execute();
      waits.catch(() => {});
      for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
      const until = performance.now() + 1_500;
      while (performance.now() < until);
      return waits;
    });
    await expect(frozen).rejects.toThrow(/CONNECTION_CLOSED|transaction timeout/);
    await db.close();
  });
});

describe('a pool of a process that stood still', () => {
  /** As on a machine that runs others first. Only what was sent before is sent. */
  const standStill = async () => {
    for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
    const until = performance.now() + 2_000;
    while (performance.now() < until);
  };

  it('blames no server whose greeting it has not read', async () => {
    const db = openPatiently({ url: database.appUrl, connectTimeoutSeconds: 1 });
    const asked = db.sql`select 1 as one`.execute();
    asked.catch(() => {});
    await standStill();
    expect(await asked).toEqual([{ one: 1 }]);
    await db.close();
  });

  it.each(kinds)('blames no server whose answer it has not read: %s', async (_, work) => {
    const db = openPatiently({ url: database.appUrl, maxConnections: 1, answerTimeoutMs: 1_000 });
    await work(db.sql);
    const asked = work(db.sql);
    asked.catch(() => {});
    await standStill();
    await asked;
    await db.close();
  });
});

describe('a pool whose connections are all taken', () => {
  const open = (options: Partial<DatabaseOptions> = {}) =>
    openPatiently({
      url: database.appUrl,
      applicationName: 'full',
      maxConnections: 2,
      queueTimeoutMs: 500,
      ...options,
    });

  it.each(kinds)('refuses %s in time, does nothing for it later, and serves the next', async (_, work) => {
    const db = open();
    const release = Promise.withResolvers<void>();
    const takers = [1, 2].map(() => Promise.withResolvers<void>());
    const taken = takers.map((taker) =>
      db.sql.begin(async () => {
        taker.resolve();
        await release.promise;
      }),
    );
    await Promise.all(takers.map((taker) => taker.promise));
    const ran: string[] = [];
    const refused = Array.from({ length: 20 }, () => work(db.sql).then(() => ran.push('ran')));
    const askedAt = performance.now();
    await expect(Promise.any(refused)).rejects.toMatchObject({
      errors: Array.from({ length: 20 }, () => expect.objectContaining({ code: 'POOL_EXHAUSTED' })),
    });
    expect(performance.now() - askedAt).toBeGreaterThanOrEqual(490);
    release.resolve();
    await Promise.all(taken);
    await work(db.sql);
    expect(ran).toEqual([]);
    await db.close();
  });

  it('puts no statement behind one that takes long, on whichever connection', async () => {
    const db = open();
    await Promise.all([db.sql`select pg_sleep(0.1)`, db.sql`select pg_sleep(0.1)`]);
    await admin.sql`select pg_advisory_lock(7)`;
    const waitForLock = () => db.sql`select pg_advisory_xact_lock(7)`;
    const long = Promise.all([waitForLock(), waitForLock()]);
    await expect(db.sql`select 1`).rejects.toMatchObject({ code: 'POOL_EXHAUSTED' });
    await admin.sql`select pg_advisory_unlock(7)`;
    await long;
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
    await db.close();
  });

  it('is not called full when it is the server that does not answer', async () => {
    const proxy = await openTcpProxy(database.appUrl);
    proxy.freeze();
    const db = open({ url: proxy.url, connectTimeoutSeconds: 2 });
    const codes = await Promise.all(
      [1, 2, 3, 4].map(() => db.sql`select 1`.then(() => 'answered').catch((error: { code: string }) => error.code)),
    );
    expect(new Set(codes)).toEqual(new Set(['CONNECT_TIMEOUT']));
    await db.close();
    await proxy.close();
  });
});

describe('a pool with steady plans', () => {
  it('finds rows by index in a table that was small when Postgres last counted, and plans once', async () => {
    await admin.sql`create table filled (id integer primary key)`;
    await admin.sql`insert into filled select n from generate_series(1, 20) as n`;
    await admin.sql`analyze filled`;
    const steady = openPatiently({ url: database.adminUrl, applicationName: 'steady', steadyPlans: true });
    const explain = async ({ sql }: Database) => {
      const rows = await sql<{ 'QUERY PLAN': string }[]>`explain select from filled where id = 7`;
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    expect(await explain(admin)).toContain('Seq Scan');
    expect(await explain(steady)).toContain('Index Only Scan');
    expect(await steady.sql`show plan_cache_mode`).toEqual([{ plan_cache_mode: 'force_generic_plan' }]);
    await steady.close();
  });
});
