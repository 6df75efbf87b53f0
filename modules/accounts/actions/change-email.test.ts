import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshEmail, openSuite, type Person, password, type Suite } from '../testing/open-suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await openSuite();
});
afterAll(() => suite.close());

const change = (cookie: string, email: string, given = password) =>
  suite.call('POST', '/email', { cookie, body: { email, password: given } });
const redeem = (token: unknown) => suite.call('POST', '/verify-email', { body: { token } });
const addressOf = async (person: Person) =>
  (await suite.call('GET', '/me', { cookie: person.cookie })).body.user.email as string;

async function asked(person: Person) {
  const email = freshEmail();
  expect(await change(person.cookie, email.toUpperCase())).toMatchObject({ status: 202, body: {} });
  await suite.runJobs();
  return { email, token: (await suite.mailsTo(email)).at(-1)?.token };
}

describe('POST /email', () => {
  it('changes nothing before the new address is confirmed, then tells the old one', async () => {
    const person = await suite.signedUp();
    const { email, token } = await asked(person);
    expect(await addressOf(person)).toBe(person.email);
    const answer = await redeem(token);
    expect(answer).toMatchObject({ status: 200, body: { user: { email: email, emailVerified: true } } });
    // Whoever reads the new mailbox is not yet known to be the person.
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await addressOf(person)).toBe(email);
    expect(await suite.runJobs()).toMatchObject([{ name: 'accounts.send-email-changed', state: 'done' }]);
    const notice = (await suite.mailsTo(person.email)).at(-1);
    expect(notice?.subject).toBe('The e-mail address of your account was changed');
    expect(notice?.text).toContain(email);
    const signIn = (given: string) => suite.call('POST', '/sign-in', { body: { email: given, password } });
    expect((await signIn(person.email)).status).toBe(401);
    expect((await signIn(email)).status).toBe(200);
  });

  it('makes a link that works once', async () => {
    const person = await suite.signedUp();
    const { token } = await asked(person);
    expect((await redeem(token)).status).toBe(200);
    expect(await redeem(token)).toMatchObject({ status: 409, body: { code: 'accounts.link_used' } });
  });

  it('lets a corrected address end the link to the mistyped one', async () => {
    const person = await suite.signedUp();
    const mistyped = await asked(person);
    const right = await asked(person);
    expect(await redeem(mistyped.token)).toMatchObject({ status: 409, body: { code: 'accounts.link_used' } });
    expect((await redeem(right.token)).status).toBe(200);
    expect(await addressOf(person)).toBe(right.email);
  });

  it('is dropped by a new password, and reset links to the old address end with it', async () => {
    const person = await suite.signedUp();
    const { token } = await asked(person);
    const body = { currentPassword: password, newPassword: 'a brand new password' };
    await suite.call('POST', '/password', { cookie: person.cookie, body });
    expect((await redeem(token)).status).toBe(409);

    const other = await suite.signedUp();
    await suite.call('POST', '/forgot-password', { body: { email: other.email } });
    await suite.runJobs();
    const reset = (await suite.mailsTo(other.email)).at(-1)?.token;
    expect((await redeem((await asked(other)).token)).status).toBe(200);
    const attempt = { token: reset, password: 'the password of a thief' };
    expect((await suite.call('POST', '/reset-password', { body: attempt })).status).toBe(409);
  });

  it('answers the same for an address that has an account, and mails nobody', async () => {
    const [ada, bob] = [await suite.signedUp(), await suite.signedUp()];
    expect(await change(ada.cookie, bob.email)).toMatchObject({ status: 202, body: {} });
    expect(await suite.pendingJobs()).toEqual([]);
  });

  it('says so when another account took the address before the link was used', async () => {
    const ada = await suite.signedUp();
    const { email, token } = await asked(ada);
    await suite.call('POST', '/sign-up', { body: { name: 'Bob', email, password } });
    expect(await redeem(token)).toMatchObject({ status: 409, body: { code: 'accounts.email_taken' } });
    expect(await addressOf(ada)).toBe(ada.email);
    await suite.runJobs();
  });

  it('mails no link for a change that was dropped or is too old', async () => {
    const person = await suite.signedUp();
    const email = freshEmail();
    await change(person.cookie, email);
    await suite.admin.sql`update accounts.verification set expires_at = now() where value = ${email}`;
    expect(await suite.runJobs()).toMatchObject([{ name: 'accounts.send-email-change', state: 'cancelled' }]);
    expect(await suite.mailsTo(email)).toEqual([]);
  });

  it('refuses a wrong password, the same address, strangers and what is no address', async () => {
    const person = await suite.signedUp();
    expect(await change(person.cookie, freshEmail(), 'not the password')).toMatchObject({
      status: 401,
      body: { code: 'accounts.wrong_credentials' },
    });
    expect(await change(person.cookie, person.email.toUpperCase())).toMatchObject({
      status: 400,
      body: { code: 'accounts.email_unchanged' },
    });
    expect((await change('', freshEmail())).status).toBe(401);
    expect((await change(person.cookie, 'ada')).status).toBe(400);
    expect(await suite.pendingJobs()).toEqual([]);
  });

  it('mails one address three times an hour, whoever asks, and tells nobody whether it has an account', async () => {
    const [ada, bob] = [await suite.signedUp(), await suite.signedUp()];
    const mallory = await suite.signedUp();
    for (const address of [freshEmail(), bob.email]) {
      expect((await change(ada.cookie, address)).status).toBe(202);
      expect((await change(ada.cookie, address.toUpperCase())).status).toBe(202);
      expect((await change(mallory.cookie, address)).status).toBe(202);
      expect(await change(mallory.cookie, address)).toMatchObject({
        status: 429,
        body: { code: 'request.rate_limited' },
      });
      // Nobody uses it up without their own password.
      expect((await change(mallory.cookie, address, 'not the password')).status).toBe(401);
    }
    await suite.runJobs();
  });

  it('is counted by account', async () => {
    const person = await suite.signedUp();
    const answers = await Promise.all(Array.from({ length: 11 }, () => change(person.cookie, freshEmail(), 'a guess')));
    expect(answers.filter((answer) => answer.status === 429)).toHaveLength(1);
  });
});
