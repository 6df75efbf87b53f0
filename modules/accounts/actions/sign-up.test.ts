import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshEmail, openSuite, password, type Suite } from '../testing/open-suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await openSuite();
});
afterAll(() => suite.close());

const form = (email: string, more: object = {}) => ({ name: 'Ada Lovelace', email, password, ...more });
const signUp = (email: string, more: object = {}) => suite.call('POST', '/sign-up', { body: form(email, more) });

async function stateOf(email: string) {
  const [counts] = await suite.admin.sql`
    select (select count(*)::int from accounts."user" where email = ${email}) as users,
           (select count(*)::int from accounts.account where user_id in
             (select id from accounts."user" where email = ${email})) as passwords,
           (select count(*)::int from accounts.organization o join accounts.member m on m.organization_id = o.id
             join accounts."user" u on u.id = m.user_id where u.email = ${email}) as organizations,
           (select count(*)::int from accounts.organization) as "allOrganizations",
           (select count(*)::int from jobs.job) as "allJobs",
           (select count(*)::int from jobs.job j
             where j.body ->> 'userId' in (select id::text from accounts."user" where email = ${email})) as jobs`;
  return counts as Record<string, number>;
}

const whole = { users: 1, passwords: 1, organizations: 1, jobs: 1 };

describe('POST /sign-up', () => {
  it('commits account, organisation and mail together', async () => {
    const email = freshEmail();
    const answer = await signUp(email);
    expect(answer).toMatchObject({ status: 202, body: {} });
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await stateOf(email)).toMatchObject(whole);
    const [organization] = await suite.admin.sql`
      select o.name, o.slug, o.personal, m.role from accounts.organization o
      join accounts.member m on m.organization_id = o.id join accounts."user" u on u.id = m.user_id
      where u.email = ${email}`;
    expect(organization).toMatchObject({
      name: 'Ada Lovelace',
      slug: expect.stringMatching(/^ada-lovelace-[0-9a-f]{12}$/),
      personal: true,
      role: 'owner',
    });
    const job = (await suite.pendingJobs()).at(-1);
    expect(job).toMatchObject({ name: 'accounts.send-verification', tenantId: null });
    expect(Object.keys(job?.payload as object).sort()).toEqual(['addressDigest', 'userId']);
  });

  it('mails one link that confirms the address, without repeating what was typed', async () => {
    const email = freshEmail();
    await signUp(email, { name: 'WIN A PRIZE at evil.example' });
    await suite.runJobs();
    const [mail, ...more] = await suite.mailsTo(email);
    expect(more).toEqual([]);
    expect(mail?.subject).toBe('Confirm your e-mail address');
    expect(mail?.text).toContain('http://localhost:3000/verify?token=');
    expect(`${mail?.text}${mail?.html}`).not.toContain('PRIZE');
  });

  it('takes one spelling of an address for another in capitals', async () => {
    const email = freshEmail();
    await signUp(email.toUpperCase());
    await signUp(email);
    expect(await stateOf(email)).toMatchObject(whole);
  });

  it.each([
    ['a short password', { password: 'too short' }],
    ['a long password', { password: 'x'.repeat(129) }],
    ['an address that is none', { email: 'ada@' }],
    ['no name', { name: '   ' }],
    ['a line break in the name', { name: 'Ada\r\nBcc: all@example.com' }],
    ['an unknown field', { emailVerified: true }],
    ['a wrong type', { name: { first: 'Ada' } }],
  ])('refuses %s and creates nothing', async (_what, more) => {
    const email = freshEmail();
    const answer = await signUp(email, more);
    expect(answer).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
    expect(JSON.stringify(answer.body)).not.toContain(password);
    expect(await stateOf(email)).toMatchObject({ users: 0 });
  });

  it('refuses a sixth sign-up of one address, also when it has no account', async () => {
    const email = freshEmail();
    for (let count = 0; count < 5; count++) expect((await signUp(email)).status).toBe(202);
    const over = await signUp(email);
    expect(over).toMatchObject({ status: 429, body: { code: 'request.rate_limited' } });
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('an address that has an account', () => {
  it('answers four sign-ups at once the same, and keeps one account, one organisation, one mail', async () => {
    const email = freshEmail();
    const answers = await Promise.all([1, 2, 3, 4].map(() => signUp(email)));
    for (const answer of answers) expect(answer).toMatchObject({ status: 202, body: {} });
    expect(await stateOf(email)).toMatchObject(whole);
  });

  it('tells its owner by mail, once in a while', async () => {
    const person = await suite.signedUp();
    await forget('accounts.send-account-exists', person.id);
    for (let count = 0; count < 3; count++) {
      expect(await signUp(person.email, { password: 'another password' })).toMatchObject({ status: 202, body: {} });
    }
    await suite.runJobs();
    const mails = await suite.mailsTo(person.email);
    expect(mails.filter((mail) => mail.subject === 'You already have an account')).toHaveLength(1);
    const signIn = await suite.call('POST', '/sign-in', { body: { email: person.email, password } });
    expect(signIn.status).toBe(200);
  });

  it('does not let the first to type an address keep a password for its owner', async () => {
    const email = freshEmail();
    await signUp(email, { password: 'the password of a squatter' });
    await suite.runJobs();
    const { id } = (await suite.admin.sql`select id from accounts."user" where email = ${email}`)[0] as { id: string };
    await forget('accounts.send-account-exists', id);
    await signUp(email);
    await suite.runJobs();
    const finish = (await suite.mailsTo(email)).find((mail) => mail.subject === 'Finish creating your account');
    const body = { token: finish?.token, password: 'the password of the owner' };
    expect((await suite.call('POST', '/reset-password', { body })).status).toBe(204);
    const signIn = (given: string) => suite.call('POST', '/sign-in', { body: { email, password: given } });
    expect((await signIn('the password of a squatter')).status).toBe(401);
    expect((await signIn('the password of the owner')).status).toBe(200);
  });

  it('takes about as long as a new one', { retry: 2 }, async () => {
    // Both hash one password, which is most of the time; the rest is a few statements on either side.
    // Medians of a busy machine differ by chance, hence a wide bound: a missing hash would be far outside it.
    const people = [await suite.signedUp(), await suite.signedUp(), await suite.signedUp()];
    const known: number[] = [];
    const fresh: number[] = [];
    for (let round = 0; round < 4; round++) {
      for (const person of people) {
        fresh.push(await timed(() => signUp(freshEmail())));
        known.push(await timed(() => signUp(person.email)));
      }
    }
    const [hashMs, ratio] = [median(fresh), median(known) / median(fresh)];
    expect(hashMs).toBeGreaterThan(20);
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.6);
  });
});

describe('a process killed during a sign-up', () => {
  const pauseLock = 4711;
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await suite.admin.sql.unsafe(`
      drop trigger if exists pause on jobs.job; drop trigger if exists pause on accounts.account;`);
  });

  function start(email: string): ChildProcess {
    const script = join(import.meta.dirname, '../testing/paused-sign-up.ts');
    const child = spawn(process.execPath, [script, suite.database.appUrl, email], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  }

  /**
   * Holds the child's transaction at a write by a trigger, so that the product needs no place to stop: whoever has the
   * lock says for how long.
   */
  async function pauseAt(table: string) {
    await suite.admin.sql.unsafe(`
      create or replace function public.pause() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock(${pauseLock}); return new; end $$;
      create trigger pause after insert on ${table} for each row execute function public.pause()`);
  }

  /** What the child's session waits for, if it is there. */
  const sessions = () => suite.admin.sql`
    select wait_event_type as type, wait_event as event from pg_stat_activity
    where datname = current_database() and application_name = 'paused-sign-up'`;

  it.each([
    ['after the account and its mail, before its password', 'accounts.account'],
    ['after the account, at its mail', 'jobs.job'],
  ])('leaves nothing behind: %s', async (_where, table) => {
    const email = freshEmail();
    const before = await stateOf(email);
    await pauseAt(table);
    await suite.admin.sql.begin(async (held) => {
      await held`select pg_advisory_xact_lock(${pauseLock})`;
      const child = start(email);
      await expect.poll(sessions, { timeout: 60_000 }).toEqual([{ type: 'Lock', event: 'advisory' }]);
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    // The server ends its pause, looks for the next word of its client, and finds nobody.
    await expect.poll(sessions, { timeout: 60_000 }).toEqual([]);
    expect(await stateOf(email)).toEqual(before);
  });

  it('leaves everything once it has committed', async () => {
    const email = freshEmail();
    const child = start(email);
    const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    expect(String(line)).toBe('committed\n');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await stateOf(email)).toMatchObject(whole);
  });
});

/** As if the last mail of this kind had been asked for long ago. */
async function forget(kind: string, userId: string) {
  await suite.admin.sql`delete from accounts.mail_request where kind = ${kind} and user_id = ${userId}`;
}

/** In milliseconds of processor time, all threads: it does not grow with the machine's other work. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function median(values: number[]): number {
  return values.sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}
