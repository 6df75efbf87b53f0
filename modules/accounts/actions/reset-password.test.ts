import { forgetJobs } from '@ballast/jobs/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkTokens } from '../auth/link-tokens.ts';
import { freshEmail, openSuite, password, type Suite, secret } from '../testing/open-suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await openSuite();
});
afterAll(() => suite.close());

const fresh = 'a brand new password';
const forgot = (email: string) => suite.call('POST', '/forgot-password', { body: { email } });
const reset = (token: unknown, given = fresh) =>
  suite.call('POST', '/reset-password', { body: { token, password: given } });
const signIn = (email: string, given: string) => suite.call('POST', '/sign-in', { body: { email, password: given } });
const isSignedIn = async (cookie: string) => (await suite.call('GET', '/me', { cookie })).status === 200;

/** Asks for a link and returns the one that arrives. */
async function link(email: string): Promise<string> {
  await suite.admin.sql`update accounts.mail_request set asked_at = now() - interval '1 hour'`;
  await forgot(email);
  await suite.runJobs();
  return (await suite.mailsTo(email)).filter((mail) => mail.subject === 'Choose a new password').at(-1)
    ?.token as string;
}

describe('POST /forgot-password', () => {
  it('mails a link whose token stands nowhere but in the mail', async () => {
    const person = await suite.signedUp();
    await forgot(person.email);
    expect((await suite.pendingJobs()).map((job) => job.payload)).toEqual([{ userId: person.id }]);
    const before = await suite.admin.sql`select 1 from accounts.verification where value = ${person.id}`;
    expect(before).toHaveLength(0);
    await suite.runJobs();
    const token = (await suite.mailsTo(person.email)).at(-1)?.token as string;
    expect(token.split('.')).toHaveLength(3);
    const kept = await suite.admin.sql`select * from accounts.verification where value = ${person.id}`;
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).not.toContain(token.split('.')[2]);
  });

  it('answers alike, and after as long, for an unknown address, and mails nobody', async () => {
    const person = await suite.signedUp();
    for (const address of [person.email, freshEmail()]) {
      const startedAt = performance.now();
      expect(await forgot(address)).toMatchObject({ status: 202, body: {} });
      expect(performance.now() - startedAt).toBeGreaterThan(390);
    }
    expect(await suite.pendingJobs()).toHaveLength(1);
    await suite.runJobs();
  });

  it('mails one link for many requests at once', async () => {
    const person = await suite.signedUp();
    await Promise.all([1, 2, 3, 4].map(() => forgot(person.email)));
    expect(await suite.pendingJobs()).toHaveLength(1);
    await suite.runJobs();
  });

  it('mails no link that would answer a question of long ago', async () => {
    const person = await suite.signedUp();
    await forgot(person.email);
    await suite.admin.sql`update jobs.due set discard_after = now() - interval '1 second'`;
    await suite.runJobs();
    expect((await suite.mailsTo(person.email)).map((mail) => mail.subject)).not.toContain('Choose a new password');
    await forgetJobs(suite.admin);
  });

  it('refuses what is no address, and a sixth request for one', async () => {
    expect((await forgot('ada')).status).toBe(400);
    const email = freshEmail();
    const statuses = (await Promise.all([1, 2, 3, 4, 5, 6].map(() => forgot(email)))).map((answer) => answer.status);
    expect(statuses.sort()).toEqual([202, 202, 202, 202, 202, 429]);
  });
});

describe('POST /reset-password', () => {
  it('sets the password and ends all sessions', async () => {
    const person = await suite.signedUp();
    const answer = await reset(await link(person.email));
    expect(answer).toMatchObject({ status: 204, body: null });
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await isSignedIn(person.cookie)).toBe(false);
    expect((await signIn(person.email, password)).status).toBe(401);
    expect((await signIn(person.email, fresh)).status).toBe(200);
  });

  it('works once, and ends the other outstanding links', async () => {
    const person = await suite.signedUp();
    const [first, second] = [await link(person.email), await link(person.email)];
    expect(first).not.toBe(second);
    expect((await reset(first)).status).toBe(204);
    for (const token of [first, second]) {
      expect(await reset(token, 'yet another password')).toMatchObject({
        status: 409,
        body: { code: 'accounts.link_used' },
      });
    }
    expect((await signIn(person.email, fresh)).status).toBe(200);
  });

  it('lets one of three uses at once win', async () => {
    const person = await suite.signedUp();
    const token = await link(person.email);
    const answers = await Promise.all([1, 2, 3].map((nth) => reset(token, `password number ${nth}`)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([204, 409, 409]);
  });

  it('confirms an address that was never confirmed', async () => {
    const email = freshEmail();
    await suite.call('POST', '/sign-up', { body: { name: 'Ada', email, password } });
    await suite.runJobs();
    const verification = (await suite.mailsTo(email))[0]?.token;
    expect((await reset(await link(email))).status).toBe(204);
    expect((await suite.runJobs()).map((job) => job.name)).toEqual(['accounts.send-welcome']);
    expect((await signIn(email, fresh)).body.user.emailVerified).toBe(true);
    const late = await suite.call('POST', '/verify-email', { body: { token: verification } });
    expect(late.status).toBe(409);
  });

  it('keeps the link when the new password is refused', async () => {
    const person = await suite.signedUp();
    const token = await link(person.email);
    expect(await reset(token, 'short')).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
    expect((await reset(token)).status).toBe(204);
  });

  it('says when a link has expired', async () => {
    const person = await suite.signedUp();
    const token = await linkTokens.reset(secret, person.id, new Date(Date.now() - 1000));
    expect(await reset(token)).toMatchObject({ status: 410, body: { code: 'accounts.link_expired' } });
  });

  it.each([
    ['a word', async () => 'nonsense'],
    ['a link with a letter too few', async (person: { id: string }) => (await signed(person.id)).slice(0, -1)],
    [
      'a link that confirms an address',
      async (person: { id: string; email: string }) => linkTokens.confirmAddress(secret, person, 1),
    ],
    ['a link to an account that is gone', async () => signed(crypto.randomUUID())],
  ])('refuses %s', async (_what, make) => {
    const person = await suite.signedUp();
    expect(await reset(await make(person))).toMatchObject({ status: 400, body: { code: 'accounts.link_invalid' } });
    expect(await isSignedIn(person.cookie)).toBe(true);
  });

  it('refuses a signed link that no mail carried', async () => {
    const person = await suite.signedUp();
    expect((await reset(await signed(person.id))).status).toBe(409);
  });

  it('is counted by address', async () => {
    const attempt = () =>
      suite.call('POST', '/reset-password', { address: '192.0.2.9', body: { token: 'x', password: fresh } });
    for (let count = 0; count < 30; count++) await attempt();
    expect((await attempt()).status).toBe(429);
  });
});

const signed = (userId: string) => linkTokens.reset(secret, userId, new Date(Date.now() + 60_000));
