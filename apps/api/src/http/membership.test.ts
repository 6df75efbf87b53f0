import { randomUUID } from 'node:crypto';
import { type Database, openDatabase, sqlOf } from '@ballast/db';
import type { Services } from '@ballast/http';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMembership } from './membership.ts';
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

async function organization(userId: string, role: string, personal: boolean): Promise<string> {
  const id = randomUUID();
  await admin.sql`insert into accounts.organization (id, name, slug, personal) values (${id}, 'Acme', ${id}, ${personal})`;
  await admin.sql`insert into accounts.member (organization_id, user_id, role) values (${id}, ${userId}, ${role})`;
  return id;
}

async function person() {
  const id = randomUUID();
  await admin.sql`insert into accounts."user" (id, name, email) values (${id}, 'Ada', ${`${id}@acme.test`})`;
  return { id, home: await organization(id, 'owner', true) };
}

describe('readMembership', () => {
  it('finds the personal organisation when none is named, and the named one', async () => {
    const ada = await person();
    const team = await organization(ada.id, 'member', false);
    expect(await readMembership(db, ada.id, null)).toEqual({ organizationId: ada.home, role: 'owner' });
    expect(await readMembership(db, ada.id, team)).toEqual({ organizationId: team, role: 'member' });
  });

  it("finds nothing in another's organisation, in none, and under what is no id", async () => {
    const [ada, bob] = [await person(), await person()];
    for (const id of [bob.home, randomUUID(), '', 'x', `${ada.home}'--`]) {
      expect(await readMembership(db, ada.id, id)).toBeNull();
    }
    expect(await readMembership(db, randomUUID(), null)).toBeNull();
  });
});

describe("a request's transaction", () => {
  it('sees its tenant and its person, and no others', async () => {
    const [ada, bob] = [await person(), await person()];
    const ctx = openRequestContext(db, {} as Services, {
      requestId: 'r1',
      address: '192.0.2.1',
      signal: new AbortController().signal,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      identity: { userId: ada.id, sessionId: 's1', name: 'Ada', email: 'ada@acme.test' },
      membership: { organizationId: ada.home, role: 'owner' },
    });
    const seen = await ctx.transaction(
      async (tx) => sqlOf(tx)`select id from accounts.organization where id in (${ada.home}, ${bob.home})`,
    );
    expect(seen.map(({ id }) => id)).toEqual([ada.home]);
  });
});
