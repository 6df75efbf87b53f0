import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSuite, password, type Suite } from '../testing/open-suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await openSuite();
});
afterAll(() => suite.close());

async function signIn(email: string, headers: Record<string, string> = {}) {
  const answer = await suite.call('POST', '/sign-in', { body: { email, password }, address: '198.51.100.4', headers });
  return answer.cookie;
}

const list = async (cookie: string) => (await suite.call('GET', '/sessions', { cookie })).body.sessions;
const isSignedIn = async (cookie: string) => (await suite.call('GET', '/me', { cookie })).status === 200;

describe('GET /sessions', () => {
  it("lists the person's sessions with the true address, and no token", async () => {
    const person = await suite.signedUp();
    const headers = { 'user-agent': 'Phone', 'x-forwarded-for': '6.6.6.6', 'x-ballast-client-address': '6.6.6.6' };
    const phone = await signIn(person.email, headers);
    const answer = await suite.call('GET', '/sessions', { cookie: phone });
    expect(answer.status).toBe(200);
    expect(answer.body.sessions).toHaveLength(2);
    expect(answer.body.sessions[0]).toEqual({
      id: expect.any(String),
      createdAt: expect.stringMatching(/Z$/),
      lastSeenAt: expect.stringMatching(/Z$/),
      address: '198.51.100.4',
      userAgent: 'Phone',
      current: true,
    });
    expect(answer.body.sessions[1].current).toBe(false);
    const tokens = await suite.admin.sql`select token from accounts.session`;
    for (const { token } of tokens) expect(JSON.stringify(answer.body)).not.toContain(token);
  });

  it('asks strangers to sign in', async () => {
    expect((await suite.call('GET', '/sessions')).status).toBe(401);
  });
});

describe('DELETE /sessions/:id', () => {
  const end = (id: string, cookie?: string) =>
    suite.call('DELETE', `/sessions/${id}`, cookie === undefined ? {} : { cookie });

  it('ends one session, and only that one', async () => {
    const person = await suite.signedUp();
    const phone = await signIn(person.email);
    const other = (await list(phone)).find((session: { current: boolean }) => !session.current);
    expect(await end(other.id, phone)).toMatchObject({ status: 204, cookie: phone });
    expect(await isSignedIn(person.cookie)).toBe(false);
    expect(await isSignedIn(phone)).toBe(true);
    expect(await end(other.id, phone)).toMatchObject({ status: 404, body: { code: 'accounts.session_not_found' } });
  });

  it('takes the cookie along with the own session', async () => {
    const person = await suite.signedUp();
    const [own] = await list(person.cookie);
    expect(await end(own.id, person.cookie)).toMatchObject({ status: 204, cookie: '' });
  });

  it("does not find another person's session", async () => {
    const [ada, bob] = [await suite.signedUp(), await suite.signedUp()];
    const [his] = await list(bob.cookie);
    expect(await end(his.id, ada.cookie)).toMatchObject({ status: 404, body: { code: 'accounts.session_not_found' } });
    expect(await isSignedIn(bob.cookie)).toBe(true);
  });

  it('refuses strangers, and what is no id', async () => {
    const person = await suite.signedUp();
    const [own] = await list(person.cookie);
    expect((await end(own.id)).status).toBe(401);
    expect((await end('1', person.cookie)).status).toBe(400);
  });
});

describe('POST /sign-out-everywhere', () => {
  it('ends all sessions of the person, and of nobody else', async () => {
    const [ada, bob] = [await suite.signedUp(), await suite.signedUp()];
    const phone = await signIn(ada.email);
    const answer = await suite.call('POST', '/sign-out-everywhere', { cookie: ada.cookie });
    expect(answer).toMatchObject({ status: 204, cookie: '' });
    expect([await isSignedIn(ada.cookie), await isSignedIn(phone), await isSignedIn(bob.cookie)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('asks strangers to sign in', async () => {
    expect((await suite.call('POST', '/sign-out-everywhere')).status).toBe(401);
  });
});

describe('POST /password', () => {
  const change = (cookie: string, currentPassword: string, newPassword = 'a brand new password') =>
    suite.call('POST', '/password', { cookie, body: { currentPassword, newPassword } });

  it('sets the password, ends the other sessions and every outstanding reset link', async () => {
    const person = await suite.signedUp();
    const phone = await signIn(person.email);
    await suite.call('POST', '/forgot-password', { body: { email: person.email } });
    await suite.runJobs();
    const token = (await suite.mailsTo(person.email)).at(-1)?.token;
    const answer = await change(person.cookie, password);
    expect(answer.status).toBe(204);
    expect([await isSignedIn(answer.cookie), await isSignedIn(person.cookie), await isSignedIn(phone)]).toEqual([
      true,
      false,
      false,
    ]);
    const body = { token, password: 'the password of a thief' };
    expect((await suite.call('POST', '/reset-password', { body })).status).toBe(409);
    expect(await signIn(person.email)).toBe('');
  });

  it('refuses a wrong current password and changes nothing', async () => {
    const person = await suite.signedUp();
    const phone = await signIn(person.email);
    expect(await change(person.cookie, 'not the password')).toMatchObject({
      status: 401,
      body: { code: 'accounts.wrong_credentials' },
    });
    expect([await isSignedIn(person.cookie), await isSignedIn(phone)]).toEqual([true, true]);
    expect(await signIn(person.email)).not.toBe('');
  });

  it('refuses strangers and a password that is too short', async () => {
    const person = await suite.signedUp();
    expect((await change('', password)).status).toBe(401);
    expect((await change(person.cookie, password, 'short')).status).toBe(400);
  });

  it('is counted by account, so that a stolen session cannot guess the password', async () => {
    const person = await suite.signedUp();
    for (let count = 0; count < 10; count++) expect((await change(person.cookie, 'a guess')).status).toBe(401);
    expect((await change(person.cookie, password)).status).toBe(429);
  });
});
