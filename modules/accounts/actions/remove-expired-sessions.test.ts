import { forgetJobs } from '@ballast/jobs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nightly } from '../schedules/remove-expired-sessions.schedule.ts';
import { openSuite, type Person, type Suite } from '../testing/open-suite.ts';

let suite: Suite;
let ada: Person;
beforeAll(async () => {
  suite = await openSuite();
  ada = await suite.signedUp();
});
afterAll(() => suite.close());
beforeEach(() => suite.admin.sql`delete from accounts.session where user_agent = 'old'`);

const expire = (count: number, ago = '1 second') => suite.admin.sql`
  insert into accounts.session (user_id, token, user_agent, expires_at)
  select ${ada.id}, gen_random_uuid()::text, 'old', now() - ${ago}::text::interval from generate_series(1, ${count})`;
const left = async () =>
  (await suite.admin.sql<{ n: number }[]>`select count(*)::int as n from accounts.session where user_agent = 'old'`)[0]
    ?.n;

describe('the nightly removal of expired sessions', () => {
  it('takes those that have run out, in batches, and leaves the living', async () => {
    await expire(1_001);
    const before = await suite.admin.sql`select * from accounts.session where user_agent <> 'old'`;
    expect(before.length).toBeGreaterThan(0);
    const ran = await suite.slotOf(nightly);
    expect(ran).toEqual([1, 2, 3].map(() => ({ name: nightly.name, state: 'done', failure: null })));
    expect(await left()).toBe(0);
    expect(await suite.admin.sql`select * from accounts.session where user_agent <> 'old'`).toEqual(before);
    expect((await suite.call('GET', '/me', { cookie: ada.cookie })).status).toBe(200);
  });

  it('does nothing the second time', async () => {
    await expire(1);
    await suite.slotOf(nightly);
    expect(await suite.slotOf(nightly)).toHaveLength(1);
    expect(await suite.pendingJobs()).toEqual([]);
  });

  it('leaves a session that ends in the next moment', async () => {
    await expire(1, '-1 hour');
    await suite.slotOf(nightly);
    expect(await left()).toBe(1);
  });

  it('commits a batch with its job: a commit that fails leaves every session, and no job of a next batch', async () => {
    await expire(501);
    await suite.admin.sql.unsafe(
      `
      create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'disk full'; end $$;
      create constraint trigger refuse after delete on accounts.session deferrable initially deferred
        for each row execute function public.refuse();`,
      [],
      { prepare: false },
    );
    const ran = await suite.slotOf(nightly);
    expect(ran).toMatchObject([{ state: 'pending', failure: expect.stringContaining('disk full') }]);
    expect(await left()).toBe(501);
    expect(await suite.pendingJobs()).toHaveLength(1);
    // It would come back in some seconds, and be one more of those that run next.
    await forgetJobs(suite.admin);
    await suite.admin.sql`drop trigger refuse on accounts.session`;
    expect(await suite.slotOf(nightly)).toHaveLength(2);
    expect(await left()).toBe(0);
  });
});
