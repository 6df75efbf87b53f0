import { onServer } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { lookOlder } from '@ballast/test-kit/older-postgres';
import { hasRedis, startRedis } from '@ballast/test-kit/redis';
import { startStopwatch } from '@ballast/test-kit/stopwatch';
import { openTcpProxy } from '@ballast/test-kit/tcp-proxy';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { examine } from './examine.ts';
import type { Subject } from './subject.ts';
import { openWard, type Ward } from './testing/ward.ts';

const changed = (url: string, change: (url: URL) => void) => {
  const copy = new URL(url);
  change(copy);
  return copy.href;
};

/** Examines in time: ten seconds are promised, and a process has to start and to end in them too. */
async function examineInTime(subject: Subject) {
  const watch = startStopwatch();
  const report = await examine(subject);
  expect(watch.stop()).toBeLessThan(9_000);
  return report;
}

describe.runIf(hasRedis())('doctor, of the stores', () => {
  let ward: Ward;
  const cleanUp: (() => Promise<unknown>)[] = [];
  const redisWith = async (...flags: string[]) => {
    const redis = await startRedis(flags);
    cleanUp.push(() => redis.stop());
    return redis.url;
  };
  beforeAll(async () => {
    ward = await openWard();
  });
  beforeEach(async () => {
    await ward.jobs.sql`delete from jobs.process`;
    await ward.live();
  });
  afterEach(async () => {
    await Promise.all(cleanUp.splice(0).map((clean) => clean()));
  });
  afterAll(() => ward.close());

  it('says nothing when all is well', async () => {
    const report = await examine(ward.subject);
    expect(report).toMatchObject({ ok: true, findings: [] });
    expect(report.checked.filter(({ outcome }) => outcome !== 'well' && outcome !== 'unused')).toEqual([]);
  });

  it('answers within ten seconds when everything is down, or hangs', async () => {
    const nowhere = `127.0.0.1:${await freePort()}`;
    const down = await examineInTime({
      ...ward.subject,
      databaseUrl: `postgres://ballast_app:x@${nowhere}/ballast`,
      queueUrl: `redis://${nowhere}`,
      cacheUrl: `redis://${nowhere}`,
    });
    expect(down.findings.map(({ code }) => code)).toEqual([
      'database.unreachable',
      'queue.unreachable',
      'cache.unreachable',
    ]);
    const [database, queue, cache] = await Promise.all(
      [ward.database.appUrl, ward.queue.url, ward.cache.url].map(async (url) => {
        const proxy = await openTcpProxy(url);
        cleanUp.push(() => proxy.close());
        proxy.freeze();
        return proxy.url;
      }),
    );
    const frozen = await examineInTime({
      ...ward.subject,
      databaseUrl: database ?? null,
      queueUrl: queue ?? null,
      cacheUrl: cache ?? null,
    });
    expect(frozen.findings.map(({ code }) => code)).toEqual(down.findings.map(({ code }) => code));
    expect(frozen.checked.find(({ name }) => name === 'migrations')).toMatchObject({
      outcome: 'unknown',
      why: 'Postgres cannot be asked',
    });
  });

  it('answers within ten seconds too when Postgres falls silent in the middle, and says what it could not look at', async () => {
    let silent = false;
    const proxy = await openTcpProxy(ward.database.appUrl, () => (data) => {
      const passed = silent ? Buffer.alloc(0) : data;
      // The answer to who we are is the last that arrives.
      silent ||= data.includes('bypasses');
      return passed;
    });
    cleanUp.push(() => proxy.close());
    const report = await examineInTime({ ...ward.subject, databaseUrl: proxy.url });
    expect(report.checked.find(({ name }) => name === 'migrations')).toMatchObject({
      outcome: 'unknown',
      why: expect.stringContaining('no answer within'),
    });
  });

  it.each([
    ['a wrong password', (url: URL) => (url.password = 'wrong'), 'database.refused'],
    ['another database', (url: URL) => (url.pathname = '/nothing'), 'database.missing'],
    ['a host of no name', (url: URL) => (url.hostname = 'nowhere.invalid'), 'database.unreachable'],
    [
      'a login that row-level security does not bind',
      (url: URL) => (url.username = 'ballast_backup'),
      'database.wrong_role',
    ],
  ])('DATABASE_URL with %s', async (_, change, code) => {
    const found = await ward.find({ databaseUrl: changed(ward.database.appUrl, change) });
    expect(found.map((finding) => finding.code)).toEqual([code]);
    expect(JSON.stringify(found)).not.toContain('test-only');
    if (code !== 'database.wrong_role') expect(found[0]?.symptom).toBe('API 503 on /health');
  });

  it('Postgres that is too old, and one that knows not even how to limit a transaction', async () => {
    const end = await lookOlder(ward.database);
    const found = await ward.find();
    await end();
    const { host, pathname } = new URL(ward.database.appUrl);
    expect(found).toMatchObject([
      {
        code: 'database.too_old',
        severity: 'fault',
        symptom: 'a process does not start',
        cause: expect.stringContaining('Postgres is 17.5, and Ballast needs 18 or newer'),
        evidence: [`${host}${pathname} says that it is 17.5`],
      },
    ]);
    // What a 16 says of transaction_timeout, this server says of another name.
    const unknown = changed(ward.database.appUrl, (url) => url.searchParams.set('transaction_timeout_of_16', '1'));
    const [refused, ...others] = await ward.find({ databaseUrl: unknown });
    expect(others).toEqual([]);
    expect(refused).toMatchObject({ code: 'database.too_old', cause: expect.stringContaining('older than 17') });
  });

  it('Postgres that takes no writes, or forgets commits', async () => {
    // From another database: a session of this one could not take it back.
    const server = changed(ward.database.adminUrl, (url) => (url.pathname = '/postgres'));
    const alter = (words: string) =>
      onServer(server, (admin) => admin.unsafe(`alter database ${ward.database.name} ${words}`));
    await alter('set default_transaction_read_only = on');
    expect(await ward.codes()).toEqual(['database.read_only']);
    await alter('reset default_transaction_read_only');
    await alter('set synchronous_commit = off');
    const [found] = await ward.find();
    expect(found).toMatchObject({ code: 'database.not_durable', symptom: 'jobs silently disappear' });
    await alter('reset synchronous_commit');
  });

  it('migrations that are missing, or ahead', async () => {
    const newest = { module: 'jobs', name: '9999_from_tomorrow' };
    const [missing] = await ward.find({ migrations: [...ward.subject.migrations, newest] });
    expect(missing).toMatchObject({
      code: 'migrations.missing',
      symptom: 'API 503 on /health',
      evidence: ['missing: jobs/9999_from_tomorrow'],
      fix: expect.stringContaining('docker compose run --rm migrate'),
    });
    const [ahead] = await ward.find({
      migrations: ward.subject.migrations.filter(({ name }) => name !== '0006_fleet'),
    });
    expect(ahead).toMatchObject({ code: 'migrations.ahead', fix: 'Deploy the build that brought them.' });
  });

  it('a queue that evicts, or keeps no file; exchanged addresses; one server for both', async () => {
    const evicting = await redisWith('--maxmemory-policy', 'allkeys-lru');
    const cacheUrl = null;
    const [evicts] = await ward.find({ queueUrl: evicting, cacheUrl });
    expect(evicts).toMatchObject({ code: 'queue.evicts', symptom: 'jobs silently disappear', severity: 'fault' });
    const exchanged = await ward.codes({ queueUrl: ward.cache.url, cacheUrl: ward.queue.url });
    expect(exchanged).toContain('stores.exchanged');
    expect(await ward.codes({ queueUrl: evicting, cacheUrl: evicting })).toContain('stores.one_evicting');
    const forgetful = await redisWith('--appendonly', 'no');
    expect(await ward.codes({ queueUrl: forgetful, cacheUrl })).toContain('queue.no_aof');
    expect(await ward.codes({ cacheUrl: ward.queue.url })).toEqual(['stores.one']);
  });

  it('a Redis that is full, is a replica, asks for a password, or is none', async () => {
    const full = await redisWith('--maxmemory', '1mb', '--maxmemory-policy', 'noeviction');
    const filler = new Redis(full);
    for (let n = 0; n < 200; n++) await filler.set(`filler:${n}`, 'x'.repeat(10_000)).catch(() => {});
    filler.disconnect();
    const [cache] = await ward.find({ cacheUrl: full });
    expect(cache).toMatchObject({ code: 'cache.full', symptom: 'Redis errors, flaky rate limits' });
    expect(await ward.codes({ queueUrl: full })).toContain('queue.full');
    const replica = await redisWith('--replicaof', `127.0.0.1 ${ward.cache.port}`);
    expect(await ward.codes({ cacheUrl: replica })).toEqual(['cache.unwritable']);
    const closed = await redisWith('--requirepass', 'secret-word');
    expect(await ward.codes({ cacheUrl: closed })).toEqual(['cache.refused']);
    const wrong = changed(closed, (url) => (url.password = 'wrong-word'));
    const refused = await ward.find({ cacheUrl: wrong });
    expect(refused.map(({ code }) => code)).toEqual(['cache.refused']);
    expect(JSON.stringify(refused)).not.toContain('wrong-word');
    const port = new URL(ward.database.appUrl).port;
    expect(await ward.codes({ cacheUrl: `redis://127.0.0.1:${port}` })).toEqual(['cache.unreachable']);
  });

  describe('a Redis that refuses what is no login is told so', () => {
    const toldOf = async (cacheUrl: string, code = 'cache.refused') => {
      const found = await ward.find({ cacheUrl });
      expect(found).toMatchObject([{ code, severity: 'fault' }]);
      return found[0]?.cause;
    };

    it('of too many clients', async () => {
      const crowded = await redisWith('--maxclients', '1');
      const only = new Redis(crowded);
      // Whether the server listens was asked over a connection too, which may not have ended yet.
      only.on('error', () => {});
      await only.ping();
      expect(await toldOf(crowded, 'cache.unreachable')).toContain('has as many clients as it may have');
      only.disconnect();
    });

    it('of a logical database that it does not have', async () => {
      const few = await redisWith('--databases', '2');
      expect(await toldOf(`${few}/7`)).toContain('names a logical database that its Redis does not have');
    });

    it('of a script that does not end', async () => {
      const url = await redisWith('--busy-reply-threshold', '50');
      const [scripting, killing] = [new Redis(url), new Redis(url)];
      // A client that connects meanwhile is refused its own first question, and never becomes ready to end the script.
      await Promise.all([scripting.ping(), killing.ping()]);
      const script = scripting.eval('while true do end', 0).catch(() => {});
      const busy = () =>
        killing.ping().then(
          () => '',
          (error: Error) => error.message,
        );
      await expect.poll(busy).toContain('BUSY');
      expect(await toldOf(url)).toContain('runs a script');
      await killing.script('KILL');
      await script;
      scripting.disconnect();
      killing.disconnect();
    });

    it('of what its user may not do', async () => {
      const url = await redisWith();
      const admin = new Redis(url);
      await admin.call('ACL', 'SETUSER', 'reader', 'on', '>reader-word', '+ping', '+info', '+time', '~*');
      admin.disconnect();
      const reader = changed(url, (to) => {
        to.username = 'reader';
        to.password = 'reader-word';
      });
      expect(await toldOf(reader)).toContain('may not do what Ballast needs');
    });
  });
});
