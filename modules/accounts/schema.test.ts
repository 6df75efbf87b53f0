import { sqlOf, withScope, withTenant, withUser } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendWelcome } from './jobs/send-welcome.job.ts';
import { openSuite, type Person, type Suite } from './testing/open-suite.ts';

let suite: Suite;
let ada: Person;
let bob: Person;
beforeAll(async () => {
  suite = await openSuite();
  [ada, bob] = [await suite.signedUp(), await suite.signedUp()];
});
afterAll(() => suite.close());

type Scoped = (query: string) => Promise<unknown[]>;
const nobody: Scoped = (query) => withScope(suite.appDb, {}, async (tx) => [...(await sqlOf(tx).unsafe(query))]);
const asAda: Scoped = (query) => withUser(suite.appDb, ada.id, async (tx) => [...(await sqlOf(tx).unsafe(query))]);
const organizationOf = async (person: Person) =>
  (await suite.call('GET', '/me', { cookie: person.cookie })).body.organization.id as string;

describe('what the app may see of identity', () => {
  it('is nothing outside a scope', async () => {
    for (const table of ['"user"', 'organization', 'member']) {
      expect(await nobody(`select id from accounts.${table}`), table).toEqual([]);
    }
  });

  it("is a person's own row, without the `where`", async () => {
    expect(await asAda('select id, name, email, email_verified, image, created_at from accounts."user"')).toMatchObject(
      [{ id: ada.id, email: ada.email }],
    );
  });

  it('is never a password, a token or a session', async () => {
    const denied = [
      'select * from accounts."user"',
      'select password from accounts.account',
      'select id from accounts.account',
      'select token from accounts.session',
      'select value from accounts.verification',
      'select kind from accounts.mail_request',
      'select password from accounts.sign_up_attempt',
    ];
    for (const query of denied) await expect(asAda(query), query).rejects.toThrow(/permission denied/);
  });

  it('is nothing to write', async () => {
    const denied = [
      `update accounts."user" set name = 'Eve'`,
      `update accounts."user" set email_verified = true`,
      'delete from accounts."user"',
      `insert into accounts."user" (name, email) values ('Eve', 'eve@example.com')`,
      `update accounts.member set role = 'owner'`,
      `insert into accounts.member (organization_id, user_id, role) select organization_id, '${bob.id}', 'owner' from accounts.member`,
      `update accounts.organization set name = 'Eve'`,
    ];
    for (const query of denied) await expect(asAda(query), query).rejects.toThrow(/permission denied/);
  });

  it('is the own memberships of a person, and the members of a tenant', async () => {
    const [hers, his] = [await organizationOf(ada), await organizationOf(bob)];
    expect(await asAda('select user_id, organization_id, role from accounts.member')).toEqual([
      { user_id: ada.id, organization_id: hers, role: 'owner' },
    ]);
    expect(await asAda('select id from accounts.organization')).toEqual([{ id: hers }]);
    const inTenant = (query: string) =>
      withTenant(suite.appDb, his, async (tx) => [...(await sqlOf(tx).unsafe(query))]);
    expect(await inTenant('select user_id from accounts.member')).toEqual([{ user_id: bob.id }]);
    expect(await inTenant('select id from accounts.organization')).toEqual([{ id: his }]);
    expect(await inTenant('select id from accounts."user"')).toEqual([]);
  });
});

describe('what the auth role may do', () => {
  it('adds jobs without a tenant, and none to a tenant', async () => {
    const hers = await organizationOf(ada);
    const add = (tenant: string | null) =>
      withScope(suite.authDb, {}, (tx) => enqueue(tx, sendWelcome, { userId: ada.id }, { tenant }));
    await add(null);
    await expect(add(hers)).rejects.toThrow(/another tenant/);
    await expect(suite.authDb.sql`insert into jobs.due select from jobs.due`).rejects.toThrow(/permission denied/);
  });

  it("does not reach the tenants' own tables", async () => {
    await expect(suite.authDb.sql`select * from ballast.audit_event`).rejects.toThrow(/permission denied/);
  });
});
