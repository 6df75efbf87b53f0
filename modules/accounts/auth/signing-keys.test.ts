import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshEmail, openSuite, password, type Suite, secret } from '../testing/open-suite.ts';
import { signedAgain } from './signing-keys.ts';

const next = 'the-key-that-a-rotation-has-made-just-now';
const later = 'the-key-of-the-rotation-that-came-after-it';

let suite: Suite;
beforeAll(async () => {
  suite = await openSuite();
});
afterAll(() => suite.close());
beforeEach(() => suite.restartWith({ secret }));

const me = (cookie: string) => suite.call('GET', '/me', { cookie });

it('keeps people signed in when the key was replaced, and lets them do all they could', async () => {
  const person = await suite.signedUp();
  suite.restartWith({ secret: next, previousSecret: secret });
  expect((await me(person.cookie)).body).toMatchObject({ user: { email: person.email } });
  expect((await suite.call('GET', '/sessions', { cookie: person.cookie })).body.sessions).toHaveLength(1);
  const changed = await suite.call('POST', '/password', {
    cookie: person.cookie,
    body: { currentPassword: password, newPassword: 'correct horse battery staple' },
  });
  expect(changed.status).toBeLessThan(300);
  // The cookie that came with it is of the new key, and outlives the overlap.
  suite.restartWith({ secret: next });
  expect((await me(changed.cookie)).status).toBe(200);
  expect((await me(person.cookie)).status).toBe(401);
});

it('brings a cookie of the new key once the session is due to be extended', async () => {
  const person = await suite.signedUp();
  await suite.admin.sql`update accounts.session set updated_at = now() - interval '2 hours',
    expires_at = expires_at - interval '2 hours' where user_id = ${person.id}`;
  suite.restartWith({ secret: next, previousSecret: secret });
  const visit = await me(person.cookie);
  suite.restartWith({ secret: next });
  expect((await me(visit.cookie)).status).toBe(200);
});

it('ends every session when the former key is not kept', async () => {
  const person = await suite.signedUp();
  suite.restartWith({ secret: next });
  expect((await me(person.cookie)).status).toBe(401);
  suite.restartWith({ secret: later, previousSecret: next });
  expect((await me(person.cookie)).status).toBe(401);
});

it('redeems links that were mailed before the rotation', async () => {
  const email = freshEmail();
  await suite.call('POST', '/sign-up', { body: { name: 'Ada Lovelace', email, password } });
  await suite.runJobs();
  suite.restartWith({ secret: next, previousSecret: secret });
  const [welcome] = await suite.mailsTo(email);
  const verified = await suite.call('POST', '/verify-email', { body: { token: welcome?.token } });
  expect(verified.status).toBe(200);
  expect((await me(verified.cookie)).status).toBe(200);

  suite.restartWith({ secret: next });
  await suite.call('POST', '/forgot-password', { body: { email } });
  await suite.runJobs();
  suite.restartWith({ secret: later, previousSecret: next });
  const token = (await suite.mailsTo(email)).findLast((mail) => mail.token)?.token;
  const reset = (key: string | null | undefined) =>
    suite.call('POST', '/reset-password', { body: { token: key, password: 'quite another battery' } });
  expect((await reset(token)).status).toBeLessThan(300);
  // Once, as ever.
  expect((await reset(token)).status).toBe(409);
});

it('touches no cookie that neither key signed', () => {
  const keys = { secret: next, previousSecret: secret };
  for (const cookie of ['theme=dark', 'a=b.c', 'ballast.session_token=abc.def%3D', 'x=.', '=.=', '%E0%A4%A=1.2']) {
    const headers = new Headers({ cookie });
    expect(signedAgain(headers, keys)).toBe(headers);
  }
});
