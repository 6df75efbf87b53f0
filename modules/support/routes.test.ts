import { withTenant } from '@ballast/db';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SignedIn } from '../accounts/testing/module-suite.ts';
import { request } from './schema.ts';
import { openSuite, type Suite } from './testing/open-suite.ts';

let suite: Suite;
let ada: SignedIn;
let eve: SignedIn;

beforeAll(async () => {
  suite = await openSuite();
  [ada, eve] = await Promise.all([suite.signedIn(), suite.signedIn()]);
});
afterAll(() => suite.close());

const ask = { subject: 'How do I invite my team?', body: 'I found no button.' };
let count = 0;
const fresh = () => ({ ...ask, subject: `Question ${++count}` });
const asked = async (person: SignedIn, body: unknown = fresh()) => suite.call(person, 'POST', '/requests', { body });
const jobCount = async () => Number((await suite.admin.sql`select count(*) from jobs.job`)[0]?.count);
const requestCount = async () => Number((await suite.admin.sql`select count(*) from support.request`)[0]?.count);

describe('POST /requests', () => {
  test('201: keeps the request, its job and its line in the audit log, for the tenant', async () => {
    const sent = fresh();
    const { status, body } = await asked(ada, sent);
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      ...sent,
      status: 'open',
      createdAt: expect.any(String),
      deliveredAt: null,
    });
    const jobs = await suite.admin.sql`
      select tenant_id, body from jobs.job
      where body ->> 'requestId' = ${body.id}`;
    expect(jobs).toMatchObject([{ tenant_id: ada.organizationId }]);
    const lines = await suite.admin.sql`
      select organization_id, user_id, action from ballast.audit_event where subject = ${body.id}`;
    expect(lines).toMatchObject([
      { organization_id: ada.organizationId, user_id: ada.userId, action: 'support.request.create' },
    ]);
  });

  test.each([
    ['nothing', {}, 'subject'],
    ['an empty subject', { ...ask, subject: '  ' }, 'subject'],
    ['a subject of two lines', { ...ask, subject: 'a\r\nBcc: all@example.com' }, 'subject'],
    ['a long subject', { ...ask, subject: 'x'.repeat(121) }, 'subject'],
    ['a long body', { ...ask, body: 'x'.repeat(5001) }, 'body'],
    ['a NUL', { ...ask, body: 'a\0b' }, 'body'],
    ['a wrong type', { ...ask, body: 7 }, 'body'],
    ['an unknown field', { ...ask, organizationId: '0199c0de-0000-7000-8000-000000000000' }, 'organizationId'],
  ])('400 for %s: nothing is kept', async (_what, body, path) => {
    const before = [await requestCount(), await jobCount()];
    const answer = await asked(ada, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
    expect([await requestCount(), await jobCount()]).toEqual(before);
  });

  test('409 for a double submit: one request, one job', async () => {
    const person = await suite.signedIn();
    const before = [await requestCount(), await jobCount()];
    const answers = await Promise.all([asked(person, ask), asked(person, ask)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.code).toBe('support.already_sent');
    expect([await requestCount(), await jobCount()]).toEqual(before.map((number) => number + 1));
    await suite.admin
      .sql`update support.request set created_at = now() - interval '2 minutes' where user_id = ${person.userId}`;
    expect((await asked(person, ask)).status).toBe(201);
  });

  test('409 when too many wait: two at once cannot both take the last place', async () => {
    const busy = await suite.signedIn();
    suite.settings.options.maxOpenRequests = 3;
    try {
      const answers = await Promise.all(Array.from({ length: 6 }, () => asked(busy)));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409, 409, 409]);
      expect(answers.find(({ status }) => status === 409)?.body.code).toBe('support.too_many_open');
    } finally {
      suite.settings.options.maxOpenRequests = 20;
    }
  });

  test('429 over the limit of one person, with the time to wait', async () => {
    const eager = await suite.signedIn();
    suite.settings.options.maxOpenRequests = 100;
    try {
      const statuses: number[] = [];
      for (let sent = 0; sent < 21; sent++) statuses.push((await asked(eager)).status);
      expect(statuses).toEqual([...Array(20).fill(201), 429]);
    } finally {
      suite.settings.options.maxOpenRequests = 20;
    }
  });
});

describe('GET /requests', () => {
  test('200: pages through everything once, the newest first, though more arrive meanwhile', async () => {
    const person = await suite.signedIn();
    for (let number = 1; number <= 5; number++) await asked(person, { ...ask, subject: `Number ${number}` });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor ? `&cursor=${cursor}` : '';
      const { status, body } = await suite.call(person, 'GET', `/requests?limit=2${query}`);
      expect(status).toBe(200);
      seen.push(...body.items.map((item: { subject: string }) => item.subject));
      cursor = body.nextCursor;
      if (seen.length === 2) await asked(person, { ...ask, subject: 'Late' });
    } while (cursor);
    expect(seen).toEqual(['Number 5', 'Number 4', 'Number 3', 'Number 2', 'Number 1']);
  });

  test('200: nothing yet', async () => {
    const person = await suite.signedIn();
    expect(await suite.call(person, 'GET', '/requests')).toEqual({
      status: 200,
      body: { items: [], nextCursor: null },
    });
  });

  test.each(['?limit=0', '?limit=101', '?limit=many', '?cursor=1', '?page=2'])('400 for %s', async (query) => {
    expect(await suite.call(ada, 'GET', `/requests${query}`)).toMatchObject({
      status: 400,
      body: { code: 'request.invalid' },
    });
  });
});

describe('GET /requests/:id', () => {
  test('200 for an own one, 404 for none, 400 for no id', async () => {
    const { body: own } = await asked(ada);
    expect(await suite.call(ada, 'GET', `/requests/${own.id}`)).toEqual({ status: 200, body: own });
    expect(await suite.call(ada, 'GET', '/requests/0199c0de-0000-7000-8000-000000000000')).toMatchObject({
      status: 404,
      body: { code: 'support.request_not_found' },
    });
    expect(await suite.call(ada, 'GET', '/requests/1')).toMatchObject({ status: 400 });
  });
});

describe('who may not', () => {
  const all: [string, string, unknown][] = [
    ['POST', '/requests', ask],
    ['GET', '/requests', undefined],
    ['GET', '/requests/0199c0de-0000-7000-8000-000000000000', undefined],
  ];

  test.each(all)('401 without a session: %s %s', async (method, path, body) => {
    expect(await suite.call(null, method, path, { body })).toMatchObject({ status: 401 });
  });

  test.each(all)('403 in an organisation of others: %s %s', async (method, path, body) => {
    const headers = { 'ballast-organization': ada.organizationId };
    expect(await suite.call(eve, method, path, { body, headers })).toMatchObject({
      status: 403,
      body: { code: 'tenancy.not_a_member' },
    });
  });

  test.each(all)('403 for a role without the permission: %s %s', async (method, path, body) => {
    const guest = await suite.signedIn('member');
    expect(await suite.call(guest, method, path, { body })).toMatchObject({
      status: 403,
      body: { code: 'access.denied' },
    });
  });
});

describe('another tenant', () => {
  test('does not find, list or count the request', async () => {
    const { body: own } = await asked(ada);
    expect(await suite.call(eve, 'GET', `/requests/${own.id}`)).toMatchObject({ status: 404 });
    const { body: list } = await suite.call(eve, 'GET', '/requests?limit=100');
    expect(list.items.map((item: { id: string }) => item.id)).not.toContain(own.id);
    const { body: page } = await suite.call(eve, 'GET', `/requests?cursor=${own.id}`);
    expect(page.items).toEqual([]);
  });

  test('sees nothing though the `where` is left out', async () => {
    await asked(ada);
    await asked(eve);
    const rows = await suite.sqlAs(eve, 'select * from support.request');
    expect(new Set(rows.map((row) => row.organization_id))).toEqual(new Set([eve.organizationId]));
    await suite.sqlAs(eve, `update support.request set state = 'delivered', delivered_at = now()`);
    const touched = await suite.admin.sql`
      select count(*)::int from support.request where organization_id = ${ada.organizationId} and state = 'delivered'`;
    expect(touched[0]?.count).toBe(0);
    expect(await suite.sqlAs(null, 'select * from support.request')).toEqual([]);
  });

  test('cannot be written into, and nobody rewrites or removes what was asked', async () => {
    const row = {
      ...ask,
      organizationId: ada.organizationId,
      userId: eve.userId,
      authorName: 'Eve',
      authorEmail: 'eve@example.com',
    };
    const refused = (work: Promise<unknown>) => expect(work).rejects.toMatchObject({ cause: { code: '42501' } });
    await refused(withTenant(suite.appDb, eve.organizationId, (tx) => tx.insert(request).values(row)));
    await refused(suite.sqlAs(eve, `update support.request set body = 'other'`));
    await refused(suite.sqlAs(eve, 'delete from support.request'));
  });
});
