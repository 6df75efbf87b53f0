import { createEmailVerificationToken } from 'better-auth/api';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkTokens } from '../auth/link-tokens.ts';
import { freshEmail, openSuite, password, type Suite, secret } from '../testing/open-suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await openSuite();
});
afterAll(() => suite.close());

const redeem = (token: unknown, cookie = '') => suite.call('POST', '/verify-email', { body: { token }, cookie });

async function waiting() {
  const email = freshEmail();
  await suite.call('POST', '/sign-up', { body: { name: 'Ada', email, password } });
  await suite.runJobs();
  const [mail] = await suite.mailsTo(email);
  const [{ id }] = (await suite.admin.sql`select id from accounts."user" where email = ${email}`) as never as [
    { id: string },
  ];
  return { id, email, token: mail?.token as string };
}

describe('POST /verify-email', () => {
  it('confirms the address, signs in and has the welcome sent', async () => {
    const { id, email, token } = await waiting();
    const answer = await redeem(token);
    expect(answer).toMatchObject({ status: 200, body: { user: { id, email, emailVerified: true } } });
    expect((await suite.call('GET', '/me', { cookie: answer.cookie })).body.user.id).toBe(id);
    expect(await suite.runJobs()).toMatchObject([{ name: 'accounts.send-welcome', state: 'done' }]);
    const subjects = (await suite.mailsTo(email)).map((mail) => mail.subject);
    expect(subjects).toEqual(['Confirm your e-mail address', 'Welcome to Ballast']);
  });

  it('works once', async () => {
    const { token } = await waiting();
    expect((await redeem(token)).status).toBe(200);
    const again = await redeem(token);
    expect(again).toMatchObject({ status: 409, body: { code: 'accounts.link_used' } });
    expect(again.headers.getSetCookie()).toEqual([]);
  });

  it('lets one of four clicks at once win', async () => {
    const { id, token } = await waiting();
    const answers = await Promise.all([1, 2, 3, 4].map(() => redeem(token)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409, 409, 409]);
    const [counts] = await suite.admin.sql`
      select (select count(*)::int from accounts.session where user_id = ${id}) as sessions,
             (select count(*)::int from jobs.job
              where name = 'accounts.send-welcome' and body ->> 'userId' = ${id}) as welcomes`;
    expect(counts).toEqual({ sessions: 1, welcomes: 1 });
  });

  it('signs in the account of the link, not the one that the browser was signed in to', async () => {
    const other = await suite.signedUp();
    const { id, token } = await waiting();
    const answer = await redeem(token, other.cookie);
    expect(answer.body.user.id).toBe(id);
    expect((await suite.call('GET', '/me', { cookie: answer.cookie })).body.user.id).toBe(id);
  });

  it('says when a link has expired', async () => {
    const { id, email } = await waiting();
    const expired = await createEmailVerificationToken(secret, email, undefined, -1, { userId: id });
    expect(await redeem(expired)).toMatchObject({ status: 410, body: { code: 'accounts.link_expired' } });
  });

  it.each([
    ['a word', async () => 'nonsense'],
    ['half a link', async () => (await waiting()).token.slice(0, -10)],
    [
      "another installation's",
      async () => createEmailVerificationToken('another secret of 32 characters!', 'a@example.com'),
    ],
    [
      'a link of another kind',
      async () => linkTokens.reset(secret, (await waiting()).id, new Date(Date.now() + 60_000)),
    ],
    ['one that never ends', async () => unending((await waiting()).id)],
    [
      'of an account that is gone',
      async () => linkTokens.confirmAddress(secret, { id: crypto.randomUUID(), email: 'gone@example.com' }, 1),
    ],
  ])('refuses %s', async (_what, make) => {
    expect(await redeem(await make())).toMatchObject({ status: 400, body: { code: 'accounts.link_invalid' } });
  });

  it('refuses a body without a token', async () => {
    for (const token of [undefined, '', 5, 'x'.repeat(2001)]) expect((await redeem(token)).status).toBe(400);
  });

  it('is counted by address', async () => {
    const attempt = () => suite.call('POST', '/verify-email', { address: '192.0.2.8', body: { token: 'x' } });
    for (let count = 0; count < 60; count++) await attempt();
    expect((await attempt()).status).toBe(429);
  });
});

describe('POST /resend-verification', () => {
  const resend = (email: string) => suite.call('POST', '/resend-verification', { body: { email } });

  it('sends another link, at most one a minute', async () => {
    const { id, email } = await waiting();
    await resend(email);
    await suite.runJobs();
    expect(await suite.mailsTo(email)).toHaveLength(1);
    await suite.admin
      .sql`update accounts.mail_request set asked_at = now() - interval '61 seconds' where user_id = ${id}`;
    await Promise.all([resend(email), resend(email.toUpperCase())]);
    await suite.runJobs();
    const mails = await suite.mailsTo(email);
    expect(mails).toHaveLength(2);
    expect((await redeem(mails[1]?.token)).status).toBe(200);
    expect((await redeem(mails[0]?.token)).status).toBe(409);
  });

  it('answers alike, and after as long, for a confirmed, an unconfirmed and an unknown address', async () => {
    const { email } = await waiting();
    const { email: confirmed } = await suite.signedUp();
    for (const address of [email, confirmed, freshEmail()]) {
      const startedAt = performance.now();
      expect(await resend(address)).toMatchObject({ status: 202, body: {} });
      expect(performance.now() - startedAt).toBeGreaterThan(490);
    }
    expect(await suite.pendingJobs()).toEqual([]);
  });

  it('refuses what is no address, and a sixth request for one', async () => {
    expect((await resend('ada')).status).toBe(400);
    const email = freshEmail();
    const statuses = (await Promise.all([1, 2, 3, 4, 5, 6].map(() => resend(email)))).map((answer) => answer.status);
    expect(statuses.sort()).toEqual([202, 202, 202, 202, 202, 429]);
  });
});

function unending(userId: string) {
  const claims = { userId, email: 'a@example.com' };
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
}
