import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from './client.ts';

let database: TestDatabase;
let admin: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  admin = openDatabase({ url: database.adminUrl, applicationName: 'admin', maxConnections: 1 });
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
];

describe('a pool whose sessions Postgres ends', () => {
  it.each(kinds)('fails %s, and goes on', async (name, work) => {
    const db = openDatabase({ url: database.appUrl, applicationName: name, maxConnections: 3 });
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
    for (let strike = 0; strike < 5; strike++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await admin.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name}`;
    }
    const before = worked;
    await expect.poll(() => worked - before, { timeout: 10_000 }).toBeGreaterThan(20);
    stopped = true;
    await Promise.all(loops);
    expect(failed).toBeGreaterThan(0);
    await db.close();
  });

  it('never runs the rest of a transaction on another connection', async () => {
    const db = openDatabase({ url: database.appUrl, applicationName: 'orphan', maxConnections: 1 });
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
