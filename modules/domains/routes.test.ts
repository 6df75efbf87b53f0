import { withTenant } from '@ballast/db';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SignedIn } from '../accounts/testing/module-suite.ts';
import { domain } from './schema.ts';
import { openSuite, type Suite } from './testing/open-suite.ts';

let suite: Suite;
let ada: SignedIn;
let eve: SignedIn;

beforeAll(async () => {
  suite = await openSuite();
  [ada, eve] = await Promise.all([suite.signedIn(), suite.signedIn()]);
});
afterAll(() => suite.close());

let count = 0;
const fresh = () => `shop-${++count}.acme.com`;
const add = (person: SignedIn, name: string = fresh()) => suite.call(person, 'POST', '/', { body: { name } });
const prove = (person: SignedIn, id: string) => suite.call(person, 'POST', `/${id}/proof`);
const list = async (person: SignedIn) => (await suite.call(person, 'GET', '/')).body.items;
/** As the owner of the domain does at their provider. */
const setRecord = ({ records: [proof] }: { records: { name: string; value: string }[] }) =>
  suite.names.setTexts(proof?.name ?? '', [proof?.value ?? '']);
const isProved = async (name: string) =>
  (await suite.appDb.sql`select domains.is_proved(${name}) as yes`)[0]?.yes as boolean;
const auditOf = async (id: string) =>
  (
    await suite.admin
      .sql`select organization_id, user_id, action from ballast.audit_event where subject = ${id} order by id`
  ).map((line) => ({ ...line }));
const nobody = '0199c0de-0000-7000-8000-000000000000';

async function proved(person: SignedIn, name: string = fresh()) {
  const { body } = await add(person, name);
  setRecord(body);
  const answer = await prove(person, body.id);
  expect(answer).toMatchObject({ status: 200, body: { status: 'proved' } });
  return answer.body;
}

describe('POST /', () => {
  test('201: keeps the claim with its line in the audit log, and says what to set', async () => {
    const { status, body } = await add(ada, ' Shop.BÜCHER.example. ');
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      name: 'shop.xn--bcher-kva.example',
      status: 'pending',
      records: [
        {
          type: 'TXT',
          name: '_ballast.shop.xn--bcher-kva.example',
          value: expect.stringMatching(/^ballast-proof=[0-9a-f]{48}$/),
        },
        { type: 'CNAME', name: 'shop.xn--bcher-kva.example', value: 'app.ballast.example' },
      ],
      createdAt: expect.any(String),
      provedAt: null,
      lapsesAt: null,
    });
    expect(await auditOf(body.id)).toEqual([
      { organization_id: ada.organizationId, user_id: ada.userId, action: 'domains.domain.add' },
    ]);
    expect(await isProved(body.name)).toBe(false);
  });

  test.each([
    ['an address', '127.0.0.1', 'domains.not_a_domain'],
    ['a wildcard', '*.acme.com', 'domains.not_a_domain'],
    ['one word', 'acme', 'domains.not_a_domain'],
    ['a URL', 'https://acme.com/', 'domains.not_a_domain'],
    ["the site's own host", 'APP.ballast.example', 'domains.own_host'],
    ['what is below it', 'x.app.ballast.example', 'domains.own_host'],
  ])('400 for %s: nothing is kept', async (_what, name, code) => {
    const before = (await list(ada)).length;
    expect(await add(ada, name)).toMatchObject({ status: 400, body: { code } });
    expect(await list(ada)).toHaveLength(before);
  });

  test.each([{}, { name: 7 }, { name: '' }, { name: 'x'.repeat(301) }, { name: 'a.com', token: 'mine' }])(
    '400 for %j',
    async (body) => {
      expect(await suite.call(ada, 'POST', '/', { body })).toMatchObject({
        status: 400,
        body: { code: 'request.invalid' },
      });
    },
  );

  test('409 for a name that the organisation has, however it is written; others may claim it too', async () => {
    const { body } = await add(ada);
    expect(await add(ada, body.name.toUpperCase())).toMatchObject({
      status: 409,
      body: { code: 'domains.already_added' },
    });
    const { status, body: theirs } = await add(eve, body.name);
    expect(status).toBe(201);
    expect(theirs.records[0].value).not.toBe(body.records[0].value);
  });

  test('409 when the organisation has as many as it may: two at once cannot both take the last place', async () => {
    const person = await suite.signedIn();
    suite.settings.options.maxDomains = 3;
    try {
      const answers = await Promise.all(Array.from({ length: 6 }, () => add(person)));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409, 409, 409]);
      expect(answers.find(({ status }) => status === 409)?.body.code).toBe('domains.too_many');
    } finally {
      suite.settings.options.maxDomains = 10;
    }
  });
});

describe('POST /:id/proof', () => {
  test('200 once the record is there, with one line in the audit log; again is no second proof', async () => {
    const { body } = await add(ada);
    expect(await prove(ada, body.id)).toMatchObject({ status: 409, body: { code: 'domains.record_missing' } });
    expect(await isProved(body.name)).toBe(false);
    setRecord(body);
    const answer = await prove(ada, body.id);
    expect(answer).toMatchObject({ status: 200, body: { status: 'proved', provedAt: expect.any(String) } });
    expect(await isProved(body.name)).toBe(true);
    expect(await prove(ada, body.id)).toEqual(answer);
    expect((await auditOf(body.id)).map(({ action }) => action)).toEqual([
      'domains.domain.add',
      'domains.domain.prove',
    ]);
  });

  test('409 with the record of another claim: a proof is one tenant’s', async () => {
    const name = fresh();
    const [mine, theirs] = [(await add(ada, name)).body, (await add(eve, name)).body];
    setRecord(theirs);
    expect(await prove(ada, mine.id)).toMatchObject({ status: 409, body: { code: 'domains.record_missing' } });
    expect(await prove(eve, theirs.id)).toMatchObject({ status: 200 });
    suite.names.setTexts(`_ballast.${name}`, [mine.records[0].value, theirs.records[0].value]);
    expect(await prove(ada, mine.id)).toMatchObject({ status: 409, body: { code: 'domains.proved_elsewhere' } });
    expect((await auditOf(mine.id)).map(({ action }) => action)).toEqual(['domains.domain.add']);
  });

  test('of two who prove a name at once, one does', async () => {
    const name = fresh();
    const [mine, theirs] = [(await add(ada, name)).body, (await add(eve, name)).body];
    suite.names.setTexts(`_ballast.${name}`, [mine.records[0].value, theirs.records[0].value]);
    const answers = await Promise.all([prove(ada, mine.id), prove(eve, theirs.id)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test('503 when the name servers do not answer: what is proved stays', async () => {
    const domain = await proved(ada);
    suite.names.fail(domain.records[0].name);
    expect(await prove(ada, domain.id)).toMatchObject({ status: 503, body: { code: 'domains.lookup_failed' } });
    expect(await isProved(domain.name)).toBe(true);
  });

  test('429 when too many domains of all tenants were proved within the hour', async () => {
    const [{ body: first }, { body: second }] = [await add(ada), await add(eve)];
    for (const claim of [first, second]) setRecord(claim);
    const { options } = suite.settings;
    const before = options.proofsPerHour;
    options.proofsPerHour = 1;
    try {
      expect(await prove(ada, first.id)).toMatchObject({ status: 200 });
      expect(await prove(eve, second.id)).toMatchObject({ status: 429, body: { code: 'request.rate_limited' } });
      // What is proved already costs none.
      expect(await prove(ada, first.id)).toMatchObject({ status: 200 });
    } finally {
      options.proofsPerHour = before;
    }
    expect(await isProved(second.name)).toBe(false);
  });

  test('429 for one organisation that proves a fifth of what all may, in a loop; others prove on', async () => {
    const mallory = await suite.signedIn();
    const { options } = suite.settings;
    const before = options.proofsPerHour;
    options.proofsPerHour = 10;
    try {
      for (let round = 0; round < 2; round++) {
        const { id } = await proved(mallory);
        expect(await suite.call(mallory, 'DELETE', `/${id}`)).toMatchObject({ status: 204 });
      }
      const { body: third } = await add(mallory);
      setRecord(third);
      for (let round = 0; round < 10; round++) {
        expect(await prove(mallory, third.id)).toMatchObject({ status: 429, body: { code: 'request.rate_limited' } });
      }
      await proved(eve);
    } finally {
      options.proofsPerHour = before;
    }
  });

  test('404 for none, 400 for no id', async () => {
    expect(await prove(ada, nobody)).toMatchObject({ status: 404, body: { code: 'domains.not_found' } });
    expect(await prove(ada, 'x')).toMatchObject({ status: 400 });
  });
});

describe('GET / and DELETE /:id', () => {
  test('200: all of the organisation by name; 204: removed, with its line in the audit log, and free again', async () => {
    const [person, other] = [await suite.signedIn(), await suite.signedIn()];
    expect(await list(person)).toEqual([]);
    const domain = await proved(person, 'b.acme.com');
    await add(person, 'a.acme.com');
    expect((await list(person)).map(({ name }: { name: string }) => name)).toEqual(['a.acme.com', 'b.acme.com']);
    expect(await suite.call(person, 'DELETE', `/${domain.id}`)).toEqual({ status: 204, body: null });
    expect(await isProved('b.acme.com')).toBe(false);
    expect((await auditOf(domain.id)).at(-1)).toMatchObject({
      user_id: person.userId,
      action: 'domains.domain.remove',
    });
    expect((await list(person)).map(({ name }: { name: string }) => name)).toEqual(['a.acme.com']);
    await proved(other, 'b.acme.com');
  });

  test('404 for none, 400 for no id', async () => {
    expect(await suite.call(ada, 'DELETE', `/${nobody}`)).toMatchObject({
      status: 404,
      body: { code: 'domains.not_found' },
    });
    expect(await suite.call(ada, 'DELETE', '/x')).toMatchObject({ status: 400 });
  });
});

describe('who may not', () => {
  const all: [string, string, unknown][] = [
    ['GET', '/', undefined],
    ['POST', '/', { name: 'acme.com' }],
    ['POST', `/${nobody}/proof`, undefined],
    ['DELETE', `/${nobody}`, undefined],
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
  test('does not find, prove, list or remove a domain', async () => {
    const domain = await proved(ada);
    expect(await prove(eve, domain.id)).toMatchObject({ status: 404 });
    expect(await suite.call(eve, 'DELETE', `/${domain.id}`)).toMatchObject({ status: 404 });
    expect((await list(eve)).map(({ id }: { id: string }) => id)).not.toContain(domain.id);
    expect(await isProved(domain.name)).toBe(true);
  });

  test('sees and changes nothing though the `where` is left out', async () => {
    const domain = await proved(ada);
    await add(eve);
    const rows = await suite.sqlAs(eve, 'select * from domains.domain');
    expect(new Set(rows.map((row) => row.organization_id))).toEqual(new Set([eve.organizationId]));
    await suite.sqlAs(eve, 'update domains.domain set proved_at = null');
    await suite.sqlAs(eve, 'delete from domains.domain');
    expect(await isProved(domain.name)).toBe(true);
    expect(await suite.sqlAs(null, 'select * from domains.domain')).toEqual([]);
  });

  test('cannot be written into, renamed into, or looked at as all tenants are', async () => {
    const row = { organizationId: ada.organizationId, name: 'acme.com', token: 'x'.repeat(48) };
    const refused = (work: Promise<unknown>) => expect(work).rejects.toMatchObject({ cause: { code: '42501' } });
    await refused(withTenant(suite.appDb, eve.organizationId, (tx) => tx.insert(domain).values(row)));
    await refused(suite.sqlAs(eve, `update domains.domain set name = 'other.com'`));
    await refused(suite.sqlAs(eve, `update domains.domain set token = repeat('x', 48)`));
    await refused(suite.sqlAs(eve, 'select * from domains.due(10)'));
    await refused(suite.sqlAs(eve, 'select * from domains.sample(10)'));
    await refused(suite.sqlAs(eve, `select domains.note_looks('{}', '{}', '{}', '1 day')`));
  });
});
