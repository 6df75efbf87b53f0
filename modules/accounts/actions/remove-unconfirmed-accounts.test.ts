import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nightly } from '../schedules/remove-unconfirmed-accounts.schedule.ts';
import { freshEmail, openSuite, type Person, password, type Suite } from '../testing/open-suite.ts';

let suite: Suite;
let ada: Person;
beforeAll(async () => {
  suite = await openSuite();
  ada = await suite.signedUp();
});
afterAll(() => suite.close());

interface Unconfirmed {
  id: string;
  home: string;
  email: string;
}

/** Somebody who signed up and never came back, 31 days ago unless told otherwise. */
async function unconfirmed({ daysAgo = 31 } = {}): Promise<Unconfirmed> {
  const email = freshEmail();
  await suite.call('POST', '/sign-up', { body: { name: 'Eve', email, password } });
  await suite.runJobs();
  const [person] = await suite.admin.sql<Unconfirmed[]>`
    update accounts."user" person set created_at = now() - make_interval(days => ${daysAgo})
    from accounts.member where member.user_id = person.id and email = ${email}
    returning person.id, organization_id as home, email`;
  if (!person) throw new Error('Not signed up.');
  await suite.admin.sql`
    update accounts.mail_request set asked_at = now() - make_interval(days => ${daysAgo}) where user_id = ${person.id}`;
  return person;
}

const round = () => suite.slotOf(nightly);
const exists = async ({ id }: { id: string }) =>
  (await suite.admin.sql`select 1 from accounts."user" where id = ${id}`).length === 1;

/** Everything that the database holds of a person, by table. */
async function traces({ id, home }: Pick<Unconfirmed, 'id' | 'home'>): Promise<Record<string, readonly unknown[]>> {
  const { sql } = suite.admin;
  return {
    user: await sql`select * from accounts."user" where id = ${id}`,
    account: await sql`select * from accounts.account where user_id = ${id}`,
    session: await sql`select * from accounts.session where user_id = ${id}`,
    verification: await sql`select * from accounts.verification where value = ${id} or identifier like ${`%${id}`}`,
    mailRequest: await sql`select * from accounts.mail_request where user_id = ${id}`,
    attempt: await sql`select * from accounts.sign_up_attempt where user_id = ${id}`,
    member: await sql`select * from accounts.member where user_id = ${id} or organization_id = ${home}`,
    organization: await sql`select * from accounts.organization where id = ${home}`,
    request: await sql`select * from support.request where organization_id = ${home}`,
  };
}

describe('the nightly removal of unconfirmed accounts', () => {
  it('takes an account with everything that its sign-up made, and nothing of anybody else', async () => {
    const eve = await unconfirmed();
    const young = await unconfirmed({ daysAgo: 29 });
    const { sql } = suite.admin;
    for (const { id } of [eve, ada]) {
      await sql`insert into accounts.verification (identifier, value, expires_at) values ('reset', ${id}, now())`;
      await sql`
        insert into accounts.verification (identifier, value, expires_at)
        values (${`change-email:${id}`}, 'eve@example.com', now() + interval '1 hour')`;
      await sql`insert into accounts.sign_up_attempt (user_id, password) values (${id}, 'hash')`;
    }
    const [mine] = await sql<
      { home: string }[]
    >`select organization_id as home from accounts.member where user_id = ${ada.id}`;
    const [hers, others] = [{ id: ada.id, home: mine?.home ?? '' }, await traces(young)];
    const before = await traces(hers);
    expect(
      Object.entries(await traces(eve))
        .filter(([, rows]) => rows.length === 0)
        .map(([table]) => table),
    ).toEqual(['session', 'request']);

    expect(await round()).toEqual([{ name: nightly.name, state: 'done', failure: null }]);
    expect(Object.values(await traces(eve)).flat()).toEqual([]);
    expect(await traces(hers)).toEqual(before);
    expect(await traces(young)).toEqual(others);
  });

  it('does nothing the second time', async () => {
    await round();
    const count = () => suite.admin.sql`select count(*) from accounts."user"`;
    const before = await count();
    expect(await round()).toHaveLength(1);
    expect(await count()).toEqual(before);
    expect(await suite.pendingJobs()).toEqual([]);
  });

  it('makes room for a new account with the address', async () => {
    const { email } = await unconfirmed();
    await round();
    await suite.call('POST', '/sign-up', { body: { name: 'Eve', email, password } });
    await suite.runJobs();
    const [old, fresh] = await suite.mailsTo(email);
    expect((await suite.call('POST', '/verify-email', { body: { token: old?.token } })).status).toBe(400);
    expect((await suite.call('POST', '/verify-email', { body: { token: fresh?.token } })).status).toBe(200);
  });

  it.each<[string, (eve: Unconfirmed) => PromiseLike<unknown>]>([
    ['is confirmed', ({ id }) => suite.admin.sql`update accounts."user" set email_verified = true where id = ${id}`],
    [
      'asked for another mail since',
      ({ id }) =>
        suite.admin.sql`update accounts.mail_request set asked_at = now() - interval '29 days' where user_id = ${id}`,
    ],
    [
      'was signed in once',
      ({ id }) => suite.admin.sql`
        insert into accounts.session (user_id, token, expires_at) values (${id}, ${`session of ${id}`}, now() - interval '1 day')`,
    ],
    [
      'signs in by a provider',
      ({ id }) => suite.admin.sql`
        insert into accounts.account (user_id, account_id, provider_id) values (${id}, ${id}, 'github')`,
    ],
    [
      'belongs to another organisation',
      ({ id }) => suite.admin.sql`
        insert into accounts.member (organization_id, user_id, role)
        select organization_id, ${id}, 'member' from accounts.member where user_id = ${ada.id} and role = 'owner'`,
    ],
    [
      'has somebody else in the organisation',
      ({ home }) => suite.admin.sql`
        insert into accounts.member (organization_id, user_id, role) values (${home}, ${ada.id}, 'member')`,
    ],
    [
      "owns a row of a module's",
      ({ id, home }) => suite.admin.sql`
        insert into support.request (id, organization_id, user_id, author_name, author_email, subject, body)
        values (gen_random_uuid(), ${home}, ${id}, 'Eve', 'eve@example.com', 'Help', 'Please')`,
    ],
    [
      'did something that the audit log tells',
      ({ home }) => suite.admin.sql`
        insert into ballast.audit_event (organization_id, action, subject) values (${home}, 'notes.note.add', '1')`,
    ],
    [
      'is named by a table that a later module brings',
      async ({ id }) => {
        await suite.admin.sql.unsafe(
          `create schema "later On" authorization ballast_owner;
           create table "later On".thing (made_by uuid references accounts."user");
           alter table "later On".thing owner to ballast_owner;
           alter table "later On".thing enable row level security`,
          [],
          { prepare: false },
        );
        await suite.admin.sql`insert into "later On".thing values (${id})`;
      },
    ],
  ])('leaves whoever %s', async (_who, given) => {
    const eve = await unconfirmed();
    await given(eve);
    const before = await traces(eve);
    expect(await round()).toMatchObject([{ state: 'done' }]);
    expect(await traces(eve)).toEqual(before);
  });

  it('passes over whoever is being confirmed at this moment', async () => {
    const eve = await unconfirmed();
    const held = await suite.admin.sql.reserve();
    await held`begin`;
    await held`update accounts."user" set email_verified = true where id = ${eve.id}`;
    expect(await round()).toMatchObject([{ state: 'done' }]);
    await held`commit`;
    held.release();
    await round();
    expect(await exists(eve)).toBe(true);
  });

  it('gets through more than one batch, also behind accounts that stay', async () => {
    await suite.admin.sql`
      with person as (
        insert into accounts."user" (name, email, created_at)
        select 'Eve', 'many-' || n || '@example.com', now() - interval '40 days' from generate_series(1, 250) n returning id
      ), home as (
        insert into accounts.organization (id, name, slug, personal) select id, 'Eve', 'many-' || id, true from person returning id
      ), member as (
        insert into accounts.member (organization_id, user_id, role) select id, id, 'owner' from home
      )
      insert into accounts.account (user_id, account_id, provider_id)
      select id, id::text, case when row_number() over (order by id) <= 120 then 'github' else 'credential' end from person`;
    const ran = await round();
    expect(ran.length).toBeGreaterThanOrEqual(3);
    expect(ran.every((job) => job.state === 'done')).toBe(true);
    const [left] = await suite.admin.sql`select count(*)::int as n from accounts."user" where email like 'many-%'`;
    expect(left).toEqual({ n: 120 });
  });
});

describe('the rights of the nightly jobs', () => {
  it('are those of the auth role: the app itself may neither remove nor ask what somebody owns', async () => {
    const denied = [
      'delete from accounts.session',
      'delete from accounts."user"',
      'delete from accounts.organization',
      'select accounts.owns_anything(gen_random_uuid(), gen_random_uuid())',
    ];
    for (const query of denied) await expect(suite.appDb.sql.unsafe(query), query).rejects.toThrow(/permission denied/);
  });
});
