import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSuite, type Suite } from './testing/open-suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await openSuite();
  const ada = await suite.signedIn();
  for (const name of ['proved.acme.com', 'pending.acme.com']) {
    const { body } = await suite.call(ada, 'POST', '/', { body: { name } });
    if (name.startsWith('pending')) continue;
    suite.names.setTexts(`_ballast.${name}`, [body.records[0].value]);
    await suite.call(ada, 'POST', `/${body.id}/proof`);
  }
});
afterAll(() => suite.close());

const asked = (query: string) => suite.call(null, 'GET', `/internal/ask${query}`);

it.each(['proved.acme.com', 'PROVED.acme.com', 'app.ballast.example'])('200 for %s', async (name) => {
  expect(await asked(`?domain=${name}`)).toMatchObject({ status: 200 });
});

it.each(['pending.acme.com', 'x.proved.acme.com', 'acme.com', 'x.app.ballast.example', '127.0.0.1', '*.acme.com'])(
  '404 for %s',
  async (name) => {
    expect(await asked(`?domain=${name}`)).toMatchObject({ status: 404, body: { code: 'domains.not_proved' } });
  },
);

it.each(['', '?domain=', '?name=proved.acme.com', '?domain=proved.acme.com&x=1', `?domain=${'a'.repeat(254)}`])(
  '400 for "%s"',
  async (query) => {
    expect(await asked(query)).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
  },
);

it("200 for the site's own name, though no tenant could have it", async () => {
  const local = await openSuite('https://ballast.localhost');
  const ask = (name: string) => local.call(null, 'GET', `/internal/ask?domain=${name}`);
  expect(await ask('ballast.localhost')).toMatchObject({ status: 200 });
  expect(await ask('shop.localhost')).toMatchObject({ status: 404 });
  await local.close();
});

it('is looked up by an index, and by none that knows other columns', async () => {
  await suite.admin.sql`
    insert into domains.domain (id, organization_id, name, token, proved_at, checked_at)
    select gen_random_uuid(), id, 'n' || n || '.acme.com', repeat('x', 48), now(), now()
    from accounts.organization, generate_series(1, 5000) as n`;
  await suite.admin.sql`analyze domains.domain`;
  const plan = await suite.admin.sql`
    explain (format json) select exists (select from domains.domain where name = 'n77.acme.com' and proved_at is not null)`;
  expect(JSON.stringify(plan)).toContain('"Index Name":"domain_proved"');
});

it('429 when more is asked than handshakes can need: who makes names up reaches no database', async () => {
  const statuses = new Set<number>();
  // The window may end on the way: then what is too much is too much of the next one.
  for (let asking = 0; asking < 12_010 && !statuses.has(429); asking++) statuses.add((await asked('?domain=x')).status);
  expect([...statuses]).toEqual([404, 429]);
});
