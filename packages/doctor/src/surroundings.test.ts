import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { onServer } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { openPatiently } from '@ballast/test-kit/pools';
import { hasRedis } from '@ballast/test-kit/redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { examine } from './examine.ts';
import { openWard, type Ward } from './testing/ward.ts';

const dayMs = 86_400_000;

describe.runIf(hasRedis())('doctor, of what is around', () => {
  let ward: Ward;
  const cleanUp: (() => unknown)[] = [];
  beforeAll(async () => {
    ward = await openWard();
  });
  beforeEach(async () => {
    await ward.jobs.sql`delete from jobs.process`;
    await ward.live();
  });
  afterEach(async () => {
    for (const clean of cleanUp.splice(0)) await clean();
  });
  afterAll(() => ward.close());

  async function listening(server: Server): Promise<number> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUp.push(() => server.close());
    return (server.address() as AddressInfo).port;
  }

  describe('/metrics', () => {
    const metricsAt = (url: string | null) => ward.find({ metrics: [{ name: 'api', url, setting: 'METRICS_PORT' }] });
    const serving = async (status: number, text: string) => {
      const server = createHttp((_, response) => response.writeHead(status).end(text));
      return `http://127.0.0.1:${await listening(server)}/metrics`;
    };

    it('says nothing of a Ballast', async () => {
      expect(await metricsAt(await serving(200, 'ballast_build_info{release="1"} 1\n'))).toEqual([]);
    });

    it.each([
      ['metrics.empty', 200, ''],
      ['metrics.empty', 200, '# HELP nothing\n'],
      ['metrics.not_ballast', 200, 'node_load1 0.12\n'],
      ['metrics.not_ballast', 404, '<html>'],
    ])('%s of status %d and %j (row 48)', async (code, status, text) => {
      expect(await metricsAt(await serving(status, text))).toMatchObject([{ code, symptom: '/metrics empty' }]);
    });

    it('says that nobody answers, or that they are switched off (row 48)', async () => {
      const nobody = `http://127.0.0.1:${await freePort()}/metrics`;
      expect(await metricsAt(nobody)).toMatchObject([
        {
          code: 'metrics.unreachable',
          evidence: [`${nobody}: ECONNREFUSED`],
          fix: expect.stringContaining('docker compose up -d api'),
        },
      ]);
      expect(await metricsAt(null)).toMatchObject([{ code: 'metrics.off', severity: 'warning' }]);
    });
  });

  it('clocks that disagree, by how much and which way', async () => {
    const [found, ...others] = await ward.find({ now: () => Date.now() - 3_600_000 });
    expect(others).toEqual([]);
    expect(found?.code).toBe('clock.skew');
    expect(found?.evidence).toEqual([
      'Postgres is 60 min ahead of this machine',
      'the queue’s Redis is 60 min ahead of this machine',
      'the cache is 60 min ahead of this machine',
    ]);
    expect((await ward.find({ now: () => Date.now() + 3_600_000 }))[0]?.evidence[0]).toBe(
      'Postgres is 60 min behind this machine',
    );
    expect(await ward.codes({ now: () => Date.now() + 2_000 })).toEqual([]);
  });

  it('a pool whose every connection is busy (row 22), and a server with hardly one left', async () => {
    const pool = openPatiently({ url: ward.database.appUrl, applicationName: 'ballast-api', maxConnections: 3 });
    const slow = [1, 2, 3].map(() => pool.sql`select pg_sleep(600)`.catch(() => {}));
    await vi.waitFor(
      async () => {
        expect(await ward.find({ poolSize: 3 })).toMatchObject([
          {
            code: 'database.pool_exhausted',
            symptom: 'API 503 database.busy',
            evidence: [expect.stringMatching(/^ballast-api at 127\.0\.0\.1: 3 connections busy/), expect.any(String)],
          },
        ]);
      },
      { timeout: 60_000, interval: 300 },
    );
    expect(await ward.codes({ poolSize: 4 })).toEqual([]);
    expect(await ward.codes({ poolSize: 3, poolerUrl: ward.database.appUrl })).not.toContain('database.pool_exhausted');
    await onServer(
      ward.database.adminUrl,
      (admin) =>
        admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ballast-api' and datname = current_database()`,
    );
    await Promise.all([...slow, pool.close()]);
  });

  describe('the SMTP server (row 33)', () => {
    const speaking = async (greeting: string | null) =>
      `smtp://127.0.0.1:${await listening(createServer((socket) => greeting && socket.write(greeting)))}`;

    it.each([
      ['refuses', '554 5.7.1 go away\r\n', /554/],
      ['hangs', null, /Greeting never received|Timeout/i],
    ])('that %s', async (_, greeting, said) => {
      const smtpUrl = await speaking(greeting);
      const [found, ...others] = await ward.find({ smtpUrl, consumes: true });
      expect(others).toEqual([]);
      expect(found).toMatchObject({ code: 'mail.refused', symptom: 'emails never arrive, jobs pile up' });
      expect(found?.evidence[0]).toMatch(said);
    });

    it('that is away; and who sends no mail does not judge it', async () => {
      const smtpUrl = `smtp://user:pass-word@127.0.0.1:${await freePort()}`;
      const found = await ward.find({ smtpUrl, consumes: true });
      expect(found).toMatchObject([{ code: 'mail.refused', evidence: [expect.stringContaining('ECONNREFUSED')] }]);
      expect(JSON.stringify(found)).not.toContain('pass-word');
      const report = await examine({ ...ward.subject, smtpUrl });
      expect(report.findings).toEqual([]);
      expect(report.checked.find(({ name }) => name === 'mail is taken')).toMatchObject({ outcome: 'unknown' });
    });
  });

  describe('the certificate (row 41)', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'ballast-certificate-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const showing = async (days: number, names: string) =>
      `https://localhost:${await listening(showingCertificate(folder, days, names))}`;

    it('is warned of fourteen days ahead, and called expired when it is', async () => {
      const publicUrl = await showing(90, 'DNS:localhost');
      const certificate = async (daysFromNow: number) => {
        const found = await ward.find({ publicUrl, now: () => Date.now() + daysFromNow * dayMs });
        return found.filter(({ code }) => code !== 'clock.skew');
      };
      expect(await certificate(0)).toEqual([]);
      expect(await certificate(75)).toEqual([]);
      expect(await certificate(77)).toMatchObject([
        { code: 'certificate.expiring', severity: 'warning', symptom: 'browsers warn of the page' },
      ]);
      expect(await certificate(91)).toMatchObject([{ code: 'certificate.expired', severity: 'fault' }]);
    });

    it('may live for a day only when it is renewed in time', async () => {
      const publicUrl = await showing(1, 'DNS:localhost');
      expect(await ward.codes({ publicUrl })).toEqual([]);
      const late = await ward.codes({ publicUrl, now: () => Date.now() + 0.9 * dayMs });
      expect(late).toContain('certificate.expiring');
    });

    it('is for another name', async () => {
      expect(await ward.codes({ publicUrl: await showing(90, 'DNS:elsewhere.test') })).toEqual([
        'certificate.other_name',
      ]);
    });

    it('is read from the proxy where the public address leads nowhere', async () => {
      const port = Number(new URL(await showing(90, 'DNS:app.nowhere.invalid')).port);
      const changes = { publicUrl: 'https://app.nowhere.invalid', tlsEdge: { host: '127.0.0.1', port } };
      expect(await ward.codes(changes)).toEqual([]);
      const late = await ward.codes({ ...changes, now: () => Date.now() + 80 * dayMs });
      expect(late).toContain('certificate.expiring');
    });

    it('is not looked at where nothing answers', async () => {
      const { findings, checked } = await examine({
        ...ward.subject,
        publicUrl: `https://localhost:${await freePort()}`,
      });
      expect(findings).toEqual([]);
      expect(checked.find(({ name }) => name === 'certificate')?.why).toContain('does not answer from here');
    });
  });

  describe("certificates of tenants' domains (row 41)", () => {
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'ballast-tenants-'));
      await onServer(ward.database.adminUrl, async (admin) => {
        await admin`insert into accounts.organization (id, name, slug, personal) values (gen_random_uuid(), 'Own', 'own', true)`;
        // The one leads to this machine, the other nowhere.
        await admin`
          insert into domains.domain (id, organization_id, name, token, proved_at, checked_at)
          select gen_random_uuid(), id, claimed, repeat('x', 48), now() - interval '1 day', now()
          from accounts.organization, unnest(array['localhost', 'shop.nowhere.invalid']) as claimed`;
      });
    });
    afterAll(async () => {
      await onServer(ward.database.adminUrl, (admin) => admin`delete from domains.domain`);
      rmSync(folder, { recursive: true });
    });

    /** The site is known by its address here, so that the tenant may have the name. */
    const showing = async (names: string) =>
      `https://127.0.0.1:${await listening(showingCertificate(folder, 90, names))}`;

    it('are looked at where a proved domain leads here: near its end, ended, and missing', async () => {
      const publicUrl = await showing('IP:127.0.0.1,DNS:localhost');
      const found = async (days: number) => {
        const all = await ward.find({ publicUrl, now: () => Date.now() + days * dayMs });
        return all.filter(({ code }) => code.startsWith('tenant_certificate'));
      };
      expect(await found(0)).toEqual([]);
      expect(await found(77)).toMatchObject([
        {
          code: 'tenant_certificate.expiring',
          symptom: "browsers refuse a tenant's domain",
          cause: expect.stringContaining('Of 1 domains'),
          evidence: [expect.stringMatching(/^localhost: ends in /)],
        },
      ]);
      expect(await found(91)).toMatchObject([
        { code: 'tenant_certificate.refused', evidence: ['localhost: its certificate has expired'] },
      ]);
    });

    it('are missing where another name is shown, or none', async () => {
      const other = await ward.find({ publicUrl: await showing('IP:127.0.0.1') });
      expect(other).toMatchObject([
        { code: 'tenant_certificate.refused', evidence: ['localhost: a certificate of another name is shown'] },
      ]);
      // As Caddy ends a handshake for a name that it may not serve.
      const port = await listening(createServer((socket) => socket.on('data', () => socket.end())));
      const none = await ward.find({ publicUrl: await showing('IP:127.0.0.1'), tlsEdge: { host: '127.0.0.1', port } });
      expect(none).toMatchObject([
        { code: 'tenant_certificate.refused', evidence: [expect.stringContaining('localhost: no certificate')] },
      ]);
    });

    it('are no matter where the site itself does not answer', async () => {
      expect(await ward.codes({ publicUrl: `https://127.0.0.1:${await freePort()}` })).toEqual([]);
    });
  });

  it('versions that differ after the deploy is over', async () => {
    const id = await ward.live({ release: 'older' });
    expect(await ward.find()).toMatchObject([
      { code: 'versions.differ', evidence: ['here: ward', expect.any(String), expect.stringMatching(/on here$/)] },
    ]);
    await ward.jobs.sql`update jobs.process set started_at = now() where id = ${id}`;
    expect(await ward.codes()).toEqual([]);
  });

  it('versions that differ between replicas of the API, which takes no jobs', async () => {
    const api = async (status: number, says: object) => {
      const server = createHttp((_, response) => response.writeHead(status).end(JSON.stringify(says)));
      return `http://127.0.0.1:${await listening(server)}`;
    };
    const up = { status: 'healthy', release: 'ward', upSeconds: 3_600 };
    const [same, older] = [await api(200, up), await api(503, { ...up, status: 503, release: 'older' })];
    const gone = `http://127.0.0.1:${await freePort()}`;
    expect(await ward.codes({ apis: [same, gone, await api(200, { node: 'express' })] })).toEqual([]);
    expect(await ward.find({ apis: [same, older] })).toMatchObject([
      {
        code: 'versions.differ',
        evidence: ['here: ward', 'ward: worker on here, api at 127.0.0.1', 'older: api at 127.0.0.1'],
      },
    ]);
    // From a build that does not say since when it runs.
    expect(await ward.codes({ apis: [same, await api(200, { release: 'oldest' })] })).toEqual(['versions.differ']);
    const deploying = await api(200, { ...up, upSeconds: 5 });
    expect(await ward.codes({ apis: [deploying, older] })).toEqual([]);
  });

  describe('backups', () => {
    const write = (words: string) => onServer(ward.database.adminUrl, (admin) => admin.unsafe(words));
    const state = (values: string) =>
      write(`delete from ballast.restore_drill; delete from ballast.backup_state;
             insert into ballast.backup_state (seen_at, backup, backup_at, full_at, recovery_point, problem) values (${values})`);
    const drill = (values: string) =>
      write(`insert into ballast.restore_drill (started_at, ended_at, proven, problem) values (${values})`);
    afterAll(() => write('delete from ballast.restore_drill; delete from ballast.backup_state'));

    it('that nobody takes: a warning on servers, nothing on a laptop', async () => {
      expect(await ward.codes()).toEqual([]);
      expect(await ward.find({ environment: 'production' })).toMatchObject([
        {
          code: 'backups.none',
          symptom: 'backups too old or never restored',
          fix: 'docker compose --profile backup up -d',
        },
      ]);
    });

    const said = async () => (await examine(ward.subject)).checked.find(({ name }) => name === 'backups')?.says;

    it('that are fresh and proven are well, and what they reach is said all the same', async () => {
      await state(
        `now(), 'b', now() - interval '2 hours', now() - interval '2 days', now() - interval '10 minutes', null`,
      );
      await drill(`now() - interval '3 hours', now() - interval '2 hours', true, null`);
      expect(await ward.codes()).toEqual([]);
      expect(await said()).toMatch(
        /^Any moment up to \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(10 min ago\) can be restored; the last proven restore is 2 h old\.$/,
      );
    });

    it.each([
      ['backups.silent', `now() - interval '1 hour', 'b', now(), now(), now(), null`],
      ['backups.old', `now(), 'b', now() - interval '3 days', now() - interval '3 days', now(), null`],
      ['backups.failing', `now(), 'b', now(), now(), now(), 'the repository has no room'`],
      ['backups.behind', `now(), 'b', now(), now(), now() - interval '2 hours', null`],
    ])('%s', async (code, values) => {
      await state(values);
      await drill('now(), now(), true, null');
      expect(await ward.codes()).toEqual([code]);
    });

    it('are as old as the service lets them become, and no warning before', async () => {
      const ages = async (hours: number) => {
        await state(`now(), 'b', now() - ${hours} * interval '1 hour', now(), now(), null`);
        await write('update ballast.backup_state set backup_every_hours = 72, drill_every_hours = 168');
        await drill(`now(), now() - ${hours} * 2 * interval '1 hour', true, null`);
        return ward.codes();
      };
      expect(await ages(80)).toEqual([]);
      expect(await ages(110)).toEqual(['backups.old', 'restore.old']);
    });

    it('see the disk of Postgres fill up (row 24), while they are heard of', async () => {
      const disk = async (free: number, seen: string) => {
        await state(`${seen}, 'b', now(), now(), now(), null`);
        await drill('now(), now(), true, null');
        await write(`update ballast.backup_state set data_free_bytes = ${free}, data_bytes = 100e9`);
        return ward.find();
      };
      expect(await disk(6e9, 'now()')).toEqual([]);
      expect(await disk(0.9e9, 'now()')).toMatchObject([
        { code: 'disk.filling', severity: 'warning', cause: 'The disk of Postgres is almost full.' },
      ]);
      const silent = (await disk(0.9e9, "now() - interval '1 hour'")).map(({ code }) => code);
      expect(silent).toEqual(['backups.silent']);
    });

    it('that were never restored, failed to be, or not for long', async () => {
      await state(`now(), 'b', now(), now(), now() - interval '10 minutes', null`);
      expect(await ward.codes()).toEqual(['restore.never_proven']);
      expect(await said()).toMatch(/ \(10 min ago\) can be restored; no restore was ever proven\.$/);
      await drill(`now() - interval '3 days', now() - interval '3 days', true, null`);
      expect(await ward.find()).toMatchObject([
        { code: 'restore.old', cause: 'The last proven restore is 3 days old.' },
      ]);
      await drill(`now(), now(), false, 'a table is missing'`);
      expect(await ward.find()).toMatchObject([
        { code: 'restore.failed', evidence: ['a table is missing', 'proven last 3 days ago'] },
      ]);
      expect(await said()).toContain('the last proven restore is 3 days old.');
      await state(`now(), null, null, null, null, null`);
      expect(await said()).toBe('Nothing can be restored yet; no restore was ever proven.');
    });
  });
});

/** A server with a certificate of its own, for so many days and these names. */
function showingCertificate(folder: string, days: number, names: string) {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${key} -out ${cert} -days ${days} -subj /CN=ward`;
  execFileSync('openssl', [...words.split(' '), '-addext', `subjectAltName=${names}`], { stdio: 'ignore' });
  return createTls({ key: readFileSync(key), cert: readFileSync(cert) });
}
