import { repeatJob } from '@ballast/jobs/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshEmail, openSuite, password, type Suite } from '../testing/open-suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await openSuite();
});
afterAll(() => suite.close());

const signUp = (email: string) =>
  suite.call('POST', '/sign-up', { body: { name: 'Ada Lovelace <b>', email, password } });

describe('mails', () => {
  it('carry the id of their job, also when they are sent again', async () => {
    const email = freshEmail();
    await signUp(email);
    const id = (await suite.pendingJobs()).at(-1)?.id;
    await suite.runJobs();
    await repeatJob(suite.admin, id ?? '');
    await suite.runJobs();
    const mails = await suite.mailsTo(email);
    expect(mails.map((mail) => mail.messageId)).toEqual([`<${id}@localhost>`, `<${id}@localhost>`]);
    for (const mail of mails.slice(0, 1)) {
      expect((await suite.call('POST', '/verify-email', { body: { token: mail.token } })).status).toBe(200);
    }
    await suite.runJobs();
  });

  it('have a text that says what the page says, and show a name as a name', async () => {
    const email = freshEmail();
    await signUp(email);
    await suite.runJobs();
    const token = (await suite.mailsTo(email))[0]?.token;
    await suite.call('POST', '/verify-email', { body: { token } });
    await suite.runJobs();
    const welcome = (await suite.mailsTo(email)).at(-1);
    expect(welcome?.text).toContain('Welcome, Ada Lovelace <b>');
    expect(welcome?.text).toContain('http://localhost:3000/dashboard');
    expect(welcome?.html).toContain('Ada Lovelace &lt;b&gt;');
  });

  it('are cancelled when the account was confirmed or has gone in the meantime', async () => {
    const [confirmed, gone] = [freshEmail(), freshEmail()];
    await signUp(confirmed);
    await signUp(gone);
    await suite.admin.sql`update accounts."user" set email_verified = true where email = ${confirmed}`;
    await suite.admin.sql`delete from accounts."user" where email = ${gone}`;
    const ran = await suite.runJobs();
    expect(ran.map((job) => job.state)).toEqual(['cancelled', 'cancelled']);
    expect([...(await suite.mailsTo(confirmed)), ...(await suite.mailsTo(gone))]).toEqual([]);
  });

  it('leave no token and no password in the jobs tables', async () => {
    const person = await suite.signedUp();
    await suite.call('POST', '/forgot-password', { body: { email: person.email } });
    const change = { email: freshEmail(), password };
    await suite.call('POST', '/email', { cookie: person.cookie, body: change });
    await suite.runJobs();
    const mails = [...(await suite.mailsTo(person.email)), ...(await suite.mailsTo(change.email))];
    const tokens = mails.flatMap((mail) => mail.token ?? []);
    expect(tokens).toHaveLength(3);
    const rows = await suite.admin.sql`
      select j.*, (select array_agg(message) from jobs.failure f where f.job_id = j.id) as failures
      from jobs.job j`;
    expect(rows.length).toBeGreaterThan(3);
    const kept = JSON.stringify(rows);
    for (const token of tokens) expect(kept).not.toContain(token.slice(0, 30));
    expect(kept).not.toContain(password);
    for (const row of rows) {
      const allowed = ['userId', 'addressDigest', 'oldEmail', 'newEmail'];
      expect(Object.keys(row.body as object).filter((key) => !allowed.includes(key))).toEqual([]);
    }
  });
});
