import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshEmail, openSuite, password, type Suite } from '../testing/open-suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await openSuite();
});
afterAll(() => suite.close());

const signIn = (email: string, given = password) =>
  suite.call('POST', '/sign-in', { body: { email, password: given }, headers: { 'user-agent': 'Browser of Ada' } });

describe('POST /sign-in', () => {
  it('begins a session in a cookie that no script reads and no other site sends', async () => {
    const person = await suite.signedUp();
    const answer = await signIn(person.email.toUpperCase());
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      user: {
        id: person.id,
        name: 'Ada Lovelace',
        email: person.email,
        emailVerified: true,
        createdAt: expect.stringMatching(/Z$/),
      },
    });
    const [cookie, ...others] = answer.headers.getSetCookie();
    expect(others).toEqual([]);
    expect(cookie).toMatch(/^ballast\.session_token=/);
    for (const attribute of [/HttpOnly/i, /SameSite=Lax/i, /Path=\/(;|$)/, /Max-Age=2592000/]) {
      expect(cookie).toMatch(attribute);
    }
    expect(cookie).not.toMatch(/Secure/i);
    expect((await suite.call('GET', '/me', { cookie: answer.cookie })).status).toBe(200);
  });

  it('marks the cookie as secure where people use https', async () => {
    const secure = await openSuite({ publicUrl: 'https://app.example.com' });
    try {
      const person = await secure.signedUp();
      const answer = await secure.call('POST', '/sign-in', { body: { email: person.email, password } });
      expect(answer.headers.getSetCookie()[0]).toMatch(/^__Secure-ballast\.session_token=.*; Secure/);
      expect((await secure.call('GET', '/me', { cookie: answer.cookie })).status).toBe(200);
    } finally {
      await secure.close();
    }
  });

  it('answers a wrong password and an unknown address alike', async () => {
    const person = await suite.signedUp();
    const wrong = await signIn(person.email, 'not the password');
    const unknown = await signIn(freshEmail(), 'not the password');
    expect(wrong).toMatchObject({ status: 401, body: { code: 'accounts.wrong_credentials' } });
    expect(unknown.status).toBe(wrong.status);
    expect(unknown.body).toEqual(wrong.body);
    expect(unknown.headers.getSetCookie()).toEqual([]);
  });

  it('asks an unconfirmed person for the confirmation, and sends the link once more', async () => {
    const email = freshEmail();
    await suite.call('POST', '/sign-up', { body: { name: 'Ada', email, password } });
    await suite.runJobs();
    expect((await signIn(email, 'not the password')).status).toBe(401);
    await suite.admin.sql`update accounts.mail_request set asked_at = now() - interval '61 seconds'`;
    for (let count = 0; count < 3; count++) {
      const answer = await signIn(email);
      expect(answer).toMatchObject({ status: 403, body: { code: 'accounts.email_not_verified' } });
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    await suite.runJobs();
    const links = (await suite.mailsTo(email)).filter((mail) => mail.subject === 'Confirm your e-mail address');
    expect(links).toHaveLength(2);
  });

  it('refuses a body that is not a credential', async () => {
    for (const body of [
      {},
      { email: 'ada@example.com' },
      { email: 'ada', password },
      '{"email":',
      { email: 1, password },
    ]) {
      expect((await suite.call('POST', '/sign-in', { body })).status).toBe(400);
    }
    const form = { body: 'email=ada@example.com', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect((await suite.call('POST', '/sign-in', form)).status).toBe(400);
  });

  // Some forty passwords are hashed, one after the other.
  it('stops guessing at one account from many addresses, whether or not it exists', async () => {
    const person = await suite.signedUp();
    for (const email of [person.email, freshEmail()]) {
      for (let count = 0; count < 10; count++) expect((await signIn(email, 'a guess')).status).toBe(401);
      const over = await signIn(email.toUpperCase(), password);
      expect(over).toMatchObject({ status: 429, body: { code: 'request.rate_limited' } });
      expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  it('stops one address from guessing at many accounts', async () => {
    const statuses = [];
    for (let count = 0; count < 61; count++) {
      const body = { email: `no address ${count}`, password };
      statuses.push((await suite.call('POST', '/sign-in', { address: '192.0.2.7', body })).status);
    }
    expect(new Set(statuses.slice(0, 60))).toEqual(new Set([400]));
    expect(statuses.at(-1)).toBe(429);
  });
});

describe('a sign-up, then a sign-in', () => {
  it('answers the same for a new address and for one that has an account', async () => {
    const taken = (await suite.signedUp()).email;
    for (const email of [freshEmail(), taken]) {
      for (const given of ['the first attempt', 'the second attempt']) {
        await suite.call('POST', '/sign-up', { body: { name: 'Eve', email, password: given } });
      }
      const answers = [];
      for (const given of ['the first attempt', 'the second attempt', 'never typed before']) {
        const { status, body } = await signIn(email, given);
        answers.push([status, body.code]);
      }
      expect(answers, email).toEqual([
        [403, 'accounts.email_not_verified'],
        [401, 'accounts.wrong_credentials'],
        [401, 'accounts.wrong_credentials'],
      ]);
    }
    expect((await signIn(taken)).status).toBe(200);
  });

  it('costs as much for both', { retry: 2 }, async () => {
    // Processor time, all threads, in turns: one check more or less would be a third or a half of it, however
    // busy the machine is.
    const emails = [freshEmail(), (await suite.signedUp()).email];
    for (const email of emails) {
      await suite.call('POST', '/sign-up', { body: { name: 'Eve', email, password: 'an attempt' } });
    }
    const costs: number[][] = [[], []];
    for (let round = 0; round < 9; round++) {
      for (const [index, email] of emails.entries()) {
        const before = process.cpuUsage();
        await signIn(email, round % 2 ? 'an attempt' : 'never typed before');
        const { user, system } = process.cpuUsage(before);
        costs[index]?.push(user + system);
      }
    }
    const medians = costs.map((cost) => cost.sort((left, right) => left - right)[4] ?? 0);
    const [ofFresh = 0, ofTaken = 0] = medians;
    expect(ofTaken / ofFresh).toBeGreaterThan(0.7);
    expect(ofTaken / ofFresh).toBeLessThan(1.4);
  });

  it('forgets the attempt with a new password', async () => {
    const person = await suite.signedUp();
    await suite.call('POST', '/sign-up', { body: { name: 'Eve', email: person.email, password: 'an attempt' } });
    expect((await signIn(person.email, 'an attempt')).status).toBe(403);
    const body = { currentPassword: password, newPassword: 'a brand new password' };
    await suite.call('POST', '/password', { cookie: person.cookie, body });
    expect((await signIn(person.email, 'an attempt')).status).toBe(401);
  });
});

describe('POST /sign-out', () => {
  it('ends the session and removes the cookie', async () => {
    const person = await suite.signedUp();
    const answer = await suite.call('POST', '/sign-out', { cookie: person.cookie });
    expect(answer).toMatchObject({ status: 204, cookie: '' });
    expect((await suite.call('GET', '/me', { cookie: person.cookie })).status).toBe(401);
  });

  it('is no mistake without a session', async () => {
    expect((await suite.call('POST', '/sign-out')).status).toBe(204);
  });
});
