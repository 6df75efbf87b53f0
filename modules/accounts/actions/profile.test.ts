import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSuite, type Suite } from '../testing/open-suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await openSuite();
});
afterAll(() => suite.close());

describe('GET /me', () => {
  it('shows the person and their own organisation, and nobody else', async () => {
    const [ada, bob] = [await suite.signedUp(), await suite.signedUp()];
    const [mine, his] = [
      await suite.call('GET', '/me', { cookie: ada.cookie }),
      await suite.call('GET', '/me', { cookie: bob.cookie }),
    ];
    expect(mine).toMatchObject({ status: 200, body: { user: { id: ada.id, email: ada.email, emailVerified: true } } });
    expect(mine.body.organization.slug).toMatch(/^ada-lovelace-/);
    expect(mine.body.organization.id).not.toBe(his.body.organization.id);
    expect(Object.keys(mine.body.user).sort()).toEqual(['createdAt', 'email', 'emailVerified', 'id', 'name']);
  });

  it('asks strangers to sign in, also with a cookie that we did not sign', async () => {
    const person = await suite.signedUp();
    const [name, value = ''] = person.cookie.split('=');
    const forged = `${name}=${value.replace(/\..*/, '.')}${'A'.repeat(43)}%3D`;
    for (const cookie of ['', `${name}=nonsense`, forged]) {
      expect(await suite.call('GET', '/me', { cookie })).toMatchObject({
        status: 401,
        body: { code: 'access.sign_in_first' },
      });
    }
  });

  it('extends a session that is used, in the database and in the browser', async () => {
    const person = await suite.signedUp();
    // In hours: a day of the database may have one more or less, when summer time begins or ends.
    await suite.admin.sql`
      update accounts.session set expires_at = now() + interval '696 hours', updated_at = now() - interval '1 day'
      where user_id = ${person.id}`;
    const answer = await suite.call('GET', '/me', { cookie: person.cookie });
    expect(answer.headers.getSetCookie()[0]).toMatch(/^ballast\.session_token=.*Max-Age=2592000/);
    const [session] = await suite.admin.sql`
      select expires_at > now() + interval '719 hours' as extended from accounts.session
      where user_id = ${person.id}`;
    expect(session).toEqual({ extended: true });
    const next = await suite.call('GET', '/me', { cookie: person.cookie });
    expect(next.headers.getSetCookie()).toEqual([]);
  });

  it('knows an expired session no more', async () => {
    const person = await suite.signedUp();
    await suite.admin.sql`update accounts.session set expires_at = now() where user_id = ${person.id}`;
    expect((await suite.call('GET', '/me', { cookie: person.cookie })).status).toBe(401);
  });

  it("refuses another person's organisation", async () => {
    const [ada, bob] = [await suite.signedUp(), await suite.signedUp()];
    const his = (await suite.call('GET', '/me', { cookie: bob.cookie })).body.organization.id;
    const answer = await suite.call('GET', '/me', { cookie: ada.cookie, headers: { 'ballast-organization': his } });
    expect(answer).toMatchObject({ status: 403, body: { code: 'tenancy.not_a_member' } });
  });
});

describe('PATCH /me', () => {
  it('changes the name, and only the own one', async () => {
    const [ada, bob] = [await suite.signedUp(), await suite.signedUp()];
    const answer = await suite.call('PATCH', '/me', { cookie: ada.cookie, body: { name: '  Ada King ' } });
    expect(answer).toMatchObject({ status: 200, body: { user: { name: 'Ada King' } } });
    expect((await suite.call('GET', '/me', { cookie: bob.cookie })).body.user.name).toBe('Ada Lovelace');
  });

  it('refuses strangers, and fields that are not the name', async () => {
    const person = await suite.signedUp();
    expect((await suite.call('PATCH', '/me', { body: { name: 'Eve' } })).status).toBe(401);
    for (const body of [{}, { name: '' }, { name: 'Eve', email: 'eve@example.com' }, { name: 'x'.repeat(101) }]) {
      expect((await suite.call('PATCH', '/me', { cookie: person.cookie, body })).status).toBe(400);
    }
    expect((await suite.call('GET', '/me', { cookie: person.cookie })).body.user).toMatchObject({
      name: 'Ada Lovelace',
      email: person.email,
    });
  });

  it('is counted by account', async () => {
    const { cookie } = await suite.signedUp();
    const rename = () => suite.call('PATCH', '/me', { cookie, body: { name: 'Ada' } });
    for (let count = 0; count < 30; count++) expect((await rename()).status).toBe(200);
    expect((await rename()).status).toBe(429);
  });
});
