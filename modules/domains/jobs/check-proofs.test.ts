import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SignedIn } from '../../accounts/testing/module-suite.ts';
import { daily } from '../schedules/check-proofs.schedule.ts';
import { openSuite, type Suite } from '../testing/open-suite.ts';

let suite: Suite;
let ada: SignedIn;
beforeAll(async () => {
  suite = await openSuite();
  ada = await suite.signedIn();
});
afterAll(() => suite.close());
beforeEach(() => suite.admin.sql`delete from domains.domain`);

/** A domain that was proved, and looked at last a day ago. */
async function proved(name: string) {
  const { body } = await suite.call(ada, 'POST', '/', { body: { name } });
  suite.names.setTexts(`_ballast.${name}`, [body.records[0].value]);
  await suite.call(ada, 'POST', `/${body.id}/proof`);
  await daysPass(1);
  return body as { id: string; records: { value: string }[] };
}
const daysPass = (days: number) => suite.admin.sql`
  update domains.domain set checked_at = checked_at - ${days}::int * interval '1 day',
    missing_since = missing_since - ${days}::int * interval '1 day'`;
const shown = async () => (await suite.call(ada, 'GET', '/')).body.items[0];
const done = { name: daily.name, state: 'done', failure: null };

describe('the daily look at proofs', () => {
  it('leaves a domain whose record is there, and looks at none twice a day', async () => {
    await proved('here.acme.com');
    expect(await suite.slotOf(daily)).toEqual([done]);
    expect(await shown()).toMatchObject({ status: 'proved' });
    suite.names.setTexts('_ballast.here.acme.com', []);
    await suite.slotOf(daily);
    expect(await shown()).toMatchObject({ status: 'proved' });
  });

  it('says when a record is missed, and takes the proof when it stays away for days', async () => {
    const { id } = await proved('gone.acme.com');
    suite.names.setTexts('_ballast.gone.acme.com', ['something else']);
    await suite.slotOf(daily);
    const first = await shown();
    expect(first).toMatchObject({ status: 'missing', lapsesAt: expect.any(String) });
    const graceMs = Date.parse(first.lapsesAt) - Date.now();
    expect(graceMs).toBeGreaterThan(2.9 * 86_400_000);
    expect(graceMs).toBeLessThanOrEqual(3 * 86_400_000);

    for (const day of [1, 2]) {
      await daysPass(1);
      await suite.slotOf(daily);
      expect(await shown(), `after ${day} days`).toMatchObject({ status: 'missing' });
    }
    await daysPass(1);
    await suite.slotOf(daily);
    expect(await shown()).toMatchObject({ status: 'lapsed', provedAt: null, lapsesAt: null });
    expect((await suite.appDb.sql`select domains.is_proved('gone.acme.com') as yes`)[0]?.yes).toBe(false);
    const lines = await suite.admin.sql`
      select organization_id, user_id, action from ballast.audit_event where subject = ${id} order by id desc limit 1`;
    expect(lines).toMatchObject([
      { organization_id: ada.organizationId, user_id: null, action: 'domains.domain.lapse' },
    ]);
  });

  it('forgives a record that is back in time, and one that is proved again later', async () => {
    const { id, records } = await proved('back.acme.com');
    const value = records[0]?.value ?? '';
    suite.names.setTexts('_ballast.back.acme.com', []);
    await suite.slotOf(daily);
    await daysPass(2);
    suite.names.setTexts('_ballast.back.acme.com', [value]);
    await suite.slotOf(daily);
    expect(await shown()).toMatchObject({ status: 'proved', lapsesAt: null });

    suite.names.setTexts('_ballast.back.acme.com', []);
    await daysPass(1);
    await suite.slotOf(daily);
    await daysPass(4);
    await suite.slotOf(daily);
    expect(await shown()).toMatchObject({ status: 'lapsed' });
    suite.names.setTexts('_ballast.back.acme.com', [value]);
    expect(await suite.call(ada, 'POST', `/${id}/proof`)).toMatchObject({ body: { status: 'proved' } });
  });

  it('takes nothing away because name servers do not answer, for however long', async () => {
    await proved('quiet.acme.com');
    suite.names.fail('_ballast.quiet.acme.com');
    for (let week = 0; week < 3; week++) {
      expect(await suite.slotOf(daily)).toEqual([done]);
      await daysPass(7);
    }
    expect(await shown()).toMatchObject({ status: 'proved' });
  });

  it('looks at all of them, batch after batch', async () => {
    await suite.admin.sql`
      insert into domains.domain (id, organization_id, name, token, proved_at, checked_at)
      select gen_random_uuid(), ${ada.organizationId}, 'n' || n || '.acme.com', repeat('x', 48), now(), now() - interval '1 day'
      from generate_series(1, 101) as n`;
    expect(await suite.slotOf(daily)).toEqual([done, done, done]);
    const [left] = await suite.admin.sql`
      select count(*)::int as n from domains.domain where missing_since is null or checked_at < now() - interval '1 hour'`;
    expect(left?.n).toBe(0);
  });
});
