import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshEmail, openSuite, password, type Suite } from '../testing/open-suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await openSuite();
});
afterAll(() => suite.close());

/** What the log of the person's own organisation says, the oldest first. */
const linesOf = async (userId: string) => {
  const rows = await suite.admin.sql<{ action: string; own: boolean; subject: string }[]>`
    select action, subject, event.user_id = ${userId} as own from ballast.audit_event event
    join accounts.organization home on home.id = event.organization_id and home.personal
    join accounts.member on member.organization_id = home.id and member.user_id = ${userId} order by event.id`;
  expect(rows.every((row) => row.own)).toBe(true);
  return rows.map(({ action, subject }) => (subject === userId ? action : `${action} ${subject}`));
};

it('what people do to their accounts stands in the audit log of their own organisation', async () => {
  const person = await suite.signedUp();
  const signIn = async (secret: string) => {
    const body = { email: person.email, password: secret };
    return (await suite.call('POST', '/sign-in', { body })).cookie;
  };
  const other = await signIn(password);
  const { body } = await suite.call('GET', '/sessions', { cookie: person.cookie });
  const ended = body.sessions.find((session: { current: boolean }) => !session.current).id;
  expect(other).not.toBe('');
  const call = async (method: string, path: string, more: object) =>
    expect((await suite.call(method, path, { cookie: person.cookie, ...more })).status).toBeLessThan(300);
  await call('DELETE', `/sessions/${ended}`, {});
  await call('PATCH', '/me', { body: { name: 'Ada King' } });
  const next = 'another horse battery staple';
  const changed = await suite.call('POST', '/password', {
    cookie: person.cookie,
    body: { currentPassword: password, newPassword: next },
  });
  const email = freshEmail();
  await suite.call('POST', '/email', { cookie: changed.cookie, body: { email, password: next } });
  await suite.runJobs();
  const token = (await suite.mailsTo(email)).at(-1)?.token;
  expect((await suite.call('POST', '/verify-email', { body: { token } })).status).toBe(200);
  const cookie = (await suite.call('POST', '/sign-in', { body: { email, password: next } })).cookie;
  expect((await suite.call('POST', '/sign-out-everywhere', { cookie })).status).toBeLessThan(300);
  expect(await linesOf(person.id)).toEqual([
    'accounts.address.confirm',
    `accounts.session.end ${ended}`,
    'accounts.profile.rename',
    'accounts.password.change',
    'accounts.address.change',
    'accounts.session.end-all',
  ]);
});

it('a reset stands there too, and what was refused does not', async () => {
  const person = await suite.signedUp();
  const wrong = { currentPassword: 'not the password at all', newPassword: 'another horse battery staple' };
  expect((await suite.call('POST', '/password', { cookie: person.cookie, body: wrong })).status).toBeGreaterThan(399);
  await suite.call('POST', '/forgot-password', { body: { email: person.email } });
  await suite.runJobs();
  const token = (await suite.mailsTo(person.email)).at(-1)?.token;
  await suite.call('POST', '/reset-password', { body: { token, password: 'another horse battery staple' } });
  expect(await linesOf(person.id)).toEqual(['accounts.address.confirm', 'accounts.password.reset']);
});

it('a sign-up alone leaves none: the account is removed when nobody confirms it', async () => {
  const email = freshEmail();
  await suite.call('POST', '/sign-up', { body: { name: 'Ada Lovelace', email, password } });
  const [user] = await suite.admin.sql<{ id: string }[]>`select id from accounts."user" where email = ${email}`;
  expect(await linesOf(user?.id as string)).toEqual([]);
});
