import { randomUUID } from 'node:crypto';
import { type Database, sqlOf } from '@ballast/db';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Services } from './context.ts';
import { openRequestContext } from './open-request-context.ts';

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openPatiently({ url: database.appUrl });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

const asked = {
  requestId: 'r1',
  address: '192.0.2.1',
  signal: new AbortController().signal,
  log: { debug() {}, info() {}, warn() {}, error() {} },
};

describe("a request's transaction", () => {
  it('is of its tenant and its person, by either door', async () => {
    const [userId, organizationId] = [randomUUID(), randomUUID()];
    const ctx = openRequestContext(db, {} as Services, {
      ...asked,
      identity: { userId, sessionId: 's1', sessionEndsAt: new Date(), name: 'Ada', email: 'ada@acme.test' },
      membership: { organizationId, role: 'owner' },
    });
    expect(ctx).toMatchObject({ tenantId: organizationId, userId, role: 'owner' });
    for (const door of [ctx.transaction, ctx.read]) {
      const [seen] = await door(
        async (tx) => sqlOf(tx)`select ballast.tenant_id() as tenant, ballast.user_id() as person`,
      );
      expect({ ...seen }).toEqual({ tenant: organizationId, person: userId });
    }
  });

  it("is nobody's without them", async () => {
    const ctx = openRequestContext(db, {} as Services, { ...asked, identity: null, membership: null });
    expect(ctx).toMatchObject({ tenantId: null, userId: null, role: null });
    const [seen] = await ctx.read(
      async (tx) => sqlOf(tx)`select ballast.tenant_id() as tenant, ballast.user_id() as person`,
    );
    expect({ ...seen }).toEqual({ tenant: null, person: null });
  });
});
