import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSuite, type Person, type Suite, secret } from '../testing/open-suite.ts';
import { identify, sessionToken } from './identify.ts';
import { signedAgain } from './signing-keys.ts';

let suite: Suite;
let ada: Person;
beforeAll(async () => {
  suite = await openSuite();
  ada = await suite.signedUp();
});
afterAll(() => suite.close());

const name = 'ballast.session_token';
const signed = (token: string, key = secret) =>
  `${name}=${encodeURIComponent(`${token}.${createHmac('sha256', key).update(token).digest('base64')}`)}`;
const tokenOf = async (person: Person) => {
  const [row] = await suite.admin.sql<
    { token: string }[]
  >`select token from accounts.session where user_id = ${person.id}`;
  return row?.token ?? '';
};
const homeOf = async (person: Person) => {
  const [row] = await suite.admin.sql<{ id: string }[]>`
    select organization.id from accounts.organization join accounts.member on member.organization_id = organization.id
    where member.user_id = ${person.id} and personal`;
  return row?.id ?? '';
};

describe('who calls', () => {
  it('is whom Better Auth says, for whatever cookie comes', async () => {
    const token = await tokenOf(ada);
    const flipped = ada.cookie.replace(/.{8}$/, (end) => end.split('').reverse().join(''));
    const cookies = [
      ada.cookie,
      signed(token),
      `theme=dark; ${signed(token)}; other=1`,
      `theme=dark;${signed(token)}`,
      // Of two, the first counts, wherever the second comes from.
      `${signed('no-such-session')}; ${signed(token)}`,
      `${signed(token)}; ${signed('no-such-session')}`,
      signed(token, 'another-key-that-is-none-of-ours-at-all'),
      flipped,
      `${name}=${token}`,
      `${name}=${token}.`,
      `${name}=.`,
      `${name}=`,
      name,
      '',
      `x${signed(token)}`,
      `__Secure-${signed(token)}`,
      signed(token).replace(name, name.toUpperCase()),
      `${name}=%E0%A4%A.x`,
      signed(randomUUID()),
      signed(`${token}' or true --`),
    ];
    const outcomes = [];
    for (const cookie of cookies) {
      const headers = new Headers(cookie ? { cookie } : {});
      const theirs = await suite.auth.api.getSession({
        headers: signedAgain(headers, { secret }),
        query: { disableRefresh: true },
      });
      const ours = await suite.auth.identify(headers, null);
      expect(ours?.identity.sessionId, cookie).toBe(theirs?.session.id);
      outcomes.push(ours !== null);
    }
    expect(outcomes.filter(Boolean)).toHaveLength(5);
  });

  it('is told with what the session and the account say', async () => {
    const caller = await suite.auth.identify(new Headers({ cookie: ada.cookie }), null);
    expect(caller?.identity).toMatchObject({ userId: ada.id, name: 'Ada Lovelace', email: ada.email });
    const [row] = await suite.admin.sql`select expires_at from accounts.session where user_id = ${ada.id}`;
    expect(caller?.identity.sessionEndsAt).toEqual(new Date(row?.expires_at));
  });

  it('is nobody any more at the very moment when the session ends', async () => {
    const person = await suite.signedUp();
    const headers = new Headers({ cookie: person.cookie });
    expect(await suite.auth.identify(headers, null)).not.toBeNull();
    await suite.admin.sql`update accounts.session set expires_at = now() where user_id = ${person.id}`;
    expect(await suite.auth.identify(headers, null)).toBeNull();
    await suite.admin
      .sql`update accounts.session set expires_at = now() + interval '1 minute' where user_id = ${person.id}`;
    expect(await suite.auth.identify(headers, null)).not.toBeNull();
    await suite.admin.sql`delete from accounts.session where user_id = ${person.id}`;
    expect(await suite.auth.identify(headers, null)).toBeNull();
  });

  it('costs no statement when no key of ours signed the cookie, and takes the former key', () => {
    const keys = { secret: 'the-key-that-a-rotation-has-made-just-now', previousSecret: secret };
    const read = (cookie: string) => sessionToken(new Headers({ cookie }), name, keys);
    expect(read(signed('t', keys.secret))).toBe('t');
    expect(read(signed('t', secret))).toBe('t');
    expect(read(signed('t', 'another-key-that-is-none-of-ours-at-all'))).toBeNull();
    expect(sessionToken(new Headers({ cookie: signed('t', secret) }), name, { secret: keys.secret })).toBeNull();
  });
});

describe('where they are', () => {
  const place = async (person: Person, organizationId: string | null) =>
    (await identify(suite.authDb, await tokenOf(person), organizationId))?.membership;

  it('is the personal organisation when none is named, and the named one', async () => {
    const team = randomUUID();
    await suite.admin.sql`insert into accounts.organization (id, name, slug) values (${team}, 'Team', ${team})`;
    await suite.admin
      .sql`insert into accounts.member (organization_id, user_id, role) values (${team}, ${ada.id}, 'member')`;
    const home = await homeOf(ada);
    expect(await place(ada, null)).toEqual({ organizationId: home, role: 'owner' });
    expect(await place(ada, home)).toEqual({ organizationId: home, role: 'owner' });
    expect(await place(ada, team)).toEqual({ organizationId: team, role: 'member' });
  });

  it("is nowhere in another's organisation, in none, and under what is no id", async () => {
    const bob = await suite.signedUp();
    const home = await homeOf(ada);
    for (const id of [await homeOf(bob), randomUUID(), '', 'x', `${home}'--`, '00000000-0000-0000-0000-000000000000']) {
      expect(await place(ada, id), id).toBeNull();
    }
  });
});
