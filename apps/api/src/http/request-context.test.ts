import { randomUUID } from 'node:crypto';
import { type Database, openDatabase, sqlOf } from '@ballast/db';
import type { Services } from '@ballast/http';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRequestContext } from './request-context.ts';

let database: TestDatabase;
let admin: Database;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  admin = openDatabase({ url: database.adminUrl, applicationName: 'suite-admin' });
  db = openDatabase({ url: database.appUrl, applicationName: 'suite' });
});
afterAll(async () => {
  await Promise.all([admin.close(), db.close()]);
  await database.drop();
});

async function person() {
  const [id, home] = [randomUUID(), randomUUID()];
  await admin.sql`insert into accounts."user" (id, name, email) values (${id}, 'Ada', ${`${id}@acme.test`})`;
  await admin.sql`insert into accounts.organization (id, name, slug, personal) values (${home}, 'Acme', ${home}, true)`;
  await admin.sql`insert into accounts.member (organization_id, user_id, role) values (${home}, ${id}, 'owner')`;
  return { id, home };
}

describe("a request's transaction", () => {
  it('sees its tenant and its person, and no others, by either door', async () => {
    const [ada, bob] = [await person(), await person()];
    const ctx = openRequestContext(db, {} as Services, {
      requestId: 'r1',
      address: '192.0.2.1',
      signal: new AbortController().signal,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      identity: { userId: ada.id, sessionId: 's1', sessionEndsAt: new Date(), name: 'Ada', email: 'ada@acme.test' },
      membership: { organizationId: ada.home, role: 'owner' },
    });
    for (const door of [ctx.transaction, ctx.read]) {
      const seen = await door(
        async (tx) => sqlOf(tx)`select id from accounts.organization where id in (${ada.home}, ${bob.home})`,
      );
      expect(seen.map(({ id }) => id)).toEqual([ada.home]);
    }
  });
});
