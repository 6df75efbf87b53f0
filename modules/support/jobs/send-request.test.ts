import { withTenant } from '@ballast/db';
import { cancelJob, runNow } from '@ballast/jobs/control';
import { enqueue } from '@ballast/jobs/enqueue';
import { pendingJobs } from '@ballast/jobs/testing';
import { AppError } from '@ballast/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SignedIn } from '../../accounts/testing/module-suite.ts';
import { openSuite, type Suite } from '../testing/open-suite.ts';
import { sendRequest } from './send-request.job.ts';

let suite: Suite;
let ada: SignedIn;

beforeAll(async () => {
  suite = await openSuite();
  ada = await suite.signedIn();
});
afterAll(() => suite.close());

const ask = async (subject: string): Promise<string> => {
  const { body } = await suite.call(ada, 'POST', '/requests', { body: { subject, body: 'Line one\nLine two' } });
  return body.id;
};
const stateOf = async (id: string) => (await suite.call(ada, 'GET', `/requests/${id}`)).body.status;
const mailsAbout = async (subject: string) =>
  (await suite.inbox.mails()).filter((mail) => mail.subject === `Support: ${subject}`);

test('mails the team with Reply-To the author, then marks the request delivered, both once', async () => {
  const id = await ask('Where are my invoices?');
  const [job] = await suite.admin.sql`select id from jobs.status where state = 'pending'`;
  expect(await suite.runJobs()).toMatchObject([{ name: 'support.send-request', state: 'done' }]);
  const mails = await mailsAbout('Where are my invoices?');
  expect(mails).toHaveLength(1);
  expect(mails[0]?.to).toEqual(['team@example.com']);
  expect(mails[0]?.text).toContain('Line one\nLine two');
  expect(mails[0]?.raw).toMatch(new RegExp(`^Reply-To: ${ada.email}\\r?$`, 'm'));
  expect(mails[0]?.raw).toMatch(new RegExp(`^Message-ID: <${job?.id}@app.example.com>\\r?$`, 'm'));
  expect(await suite.call(ada, 'GET', `/requests/${id}`)).toMatchObject({
    body: { status: 'delivered', deliveredAt: expect.any(String) },
  });
  expect(await suite.runJobs()).toEqual([]);
});

test('a mail server that is away: the request stays open and the job waits for its repeat', async () => {
  const id = await ask('Is anyone there?');
  const { send } = suite.services.mail;
  suite.services.mail.send = async () => {
    throw new AppError('mail.deferred', { public: 'Later.', status: 503 });
  };
  expect(await suite.runJobs()).toMatchObject([{ state: 'pending' }]);
  suite.services.mail.send = send;
  expect(await stateOf(id)).toBe('open');
  const [waiting] = await pendingJobs(suite.admin);
  await runNow(suite.admin, waiting?.id ?? '');
  expect(await suite.runJobs()).toMatchObject([{ state: 'done' }]);
  expect(await stateOf(id)).toBe('delivered');
});

test('a refused mail is dead and visible, and the request stays open', async () => {
  const id = await ask('Refused');
  const { send } = suite.services.mail;
  suite.services.mail.send = async () => {
    throw new AppError('mail.refused', { public: 'No.', status: 502, retryable: false });
  };
  expect(await suite.runJobs()).toMatchObject([{ state: 'dead' }]);
  suite.services.mail.send = send;
  expect(await stateOf(id)).toBe('open');
});

test('as another tenant the job sees nothing, mails nothing and is cancelled', async () => {
  const id = await ask('Not for Eve');
  const [waiting] = await pendingJobs(suite.admin);
  await cancelJob(suite.admin, waiting?.id ?? '');
  const eve = await suite.signedIn();
  await withTenant(suite.appDb, eve.organizationId, (tx) => enqueue(tx, sendRequest, { requestId: id }));
  expect(await suite.runJobs()).toMatchObject([{ state: 'cancelled' }]);
  expect(await mailsAbout('Not for Eve')).toEqual([]);
  expect(await stateOf(id)).toBe('open');
});

test('a job for another tenant cannot even be enqueued', async () => {
  const id = await ask('Mine');
  const eve = await suite.signedIn();
  await expect(
    withTenant(suite.appDb, eve.organizationId, (tx) =>
      enqueue(tx, sendRequest, { requestId: id }, { tenant: ada.organizationId }),
    ),
  ).rejects.toMatchObject({ code: '42501' });
});
