import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Finding, matrix } from '@ballast/doctor';
import { createTestDatabase, onServer, type TestDatabase } from '@ballast/test-kit/database';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../run.ts';

const root = resolve(import.meta.dirname, '../../..');
let database: TestDatabase;
let data: string;

beforeAll(async () => {
  database = await createTestDatabase();
  data = mkdtempSync(join(tmpdir(), 'ballast-doctor-'));
});
afterAll(async () => {
  rmSync(data, { recursive: true });
  await database.drop();
});

async function doctor(env: Record<string, string>, ...words: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(['doctor', ...words], {
    root,
    env: { BALLAST_DATA: data, ...env },
    secretsDirectory: '/nowhere',
    out: (text) => out.push(text),
    err: (text) => err.push(text),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

/** As people read it, with all that was looked at, and as JSON. Whoever sends no mail never asks the server of mail. */
const lacksAnswers =
  /(^Not looked at, because |^ {2}\? {6}[^(\n]*\(|"outcome": "unknown",\s+"why": ")(?!this process sends no mail)/m;

/** Asks again while a probe got no answer in its time: a machine that stands still is no fault of what was looked at. */
const answered = (...asked: Parameters<typeof doctor>) =>
  vi.waitFor(
    async () => {
      const told = await doctor(...asked);
      expect(told.out).not.toMatch(lacksAnswers);
      return told;
    },
    { timeout: 60_000, interval: 500 },
  );

describe('ballast doctor', () => {
  it('says where to look when nothing runs here', async () => {
    const { code, out } = await doctor({});
    expect(code).toBe(1);
    expect(out).toContain('FAULT    a process does not start  (config.invalid)');
    expect(out).toContain(`No Ballast runs on ${data}, and DATABASE_URL is not set`);
    expect(out).toContain('Not looked at, because DATABASE_URL is not known here: Postgres answers');
  });

  it('prints symptom, cause, evidence and fix, and speaks JSON', async () => {
    const env = { DATABASE_URL: database.appUrl, AUTH_SECRET: 'x'.repeat(32), DISABLE_BACKGROUND_WORKERS: 'true' };
    const { code, out } = await answered(env);
    expect(code).toBe(1);
    expect(out).toContain('FAULT    emails never arrive, jobs pile up  (workers.none)');
    expect(out).toMatch(/^ {2}cause {5}No worker is alive, and the API is told not to consume/m);
    expect(out).toMatch(/^ {2}fix {7}node apps\/api\/dist\/workers-standalone\.js/m);
    const { findings, ok } = JSON.parse((await answered(env, '--json')).out);
    expect(ok).toBe(false);
    // How many connections are left is the server's, which other suites use too.
    const own = findings.filter((finding: Finding) => finding.code !== 'database.connections_low');
    expect(own).toMatchObject([{ code: 'workers.none' }]);
    const slip = await doctor({ ...env, SMTP_ULR: 'smtp://127.0.0.1:1025' });
    expect(slip.out).toContain('SMTP_ULR is set and no setting has this name; did you mean SMTP_URL?');
    const wrong = await doctor({ ...env, AUTH_SECRET: 'short', REDIS_URL: 'http://cache' }, '--json');
    expect(JSON.parse(wrong.out).findings[0]).toMatchObject({
      code: 'config.invalid',
      evidence: ['REDIS_URL must be redis://host:port.', 'AUTH_SECRET must have at least 32 characters.'],
    });
  });

  it('says how far the backups reach, and how old the proof is, whether or not something is wrong', async () => {
    await onServer(database.adminUrl, (admin) =>
      admin.unsafe(`
        insert into ballast.backup_state (seen_at, backup, backup_at, full_at, recovery_point) values (now(), 'b', now(), now(), now());
        insert into ballast.restore_drill (started_at, ended_at, proven) values (now(), now() - interval '3 hours', true)`),
    );
    const env = { DATABASE_URL: database.appUrl, AUTH_SECRET: 'x'.repeat(32) };
    const reach = /Any moment up to \S+Z \(\d+ s ago\) can be restored; the last proven restore is 3 h old\./;
    expect((await answered(env)).out).toMatch(new RegExp(`^${reach.source}$`, 'm'));
    expect((await answered(env, '--all')).out).toMatch(new RegExp(`^ {2}well +backups \\(${reach.source}\\)$`, 'm'));
    await onServer(database.adminUrl, (admin) =>
      admin.unsafe('delete from ballast.restore_drill; delete from ballast.backup_state'),
    );
  });

  it('knows the Ballast of npm start from another terminal', async () => {
    const { port, password } = new URL(database.appUrl);
    mkdirSync(join(data, 'postgres'));
    mkdirSync(join(data, 'secrets'));
    writeFileSync(join(data, 'postgres/postmaster.pid'), [process.pid, '/data', '1764000000', port, ''].join('\n'));
    writeFileSync(join(data, 'secrets/database_app'), `${password}\n`);
    writeFileSync(join(data, 'secrets/auth_secret'), 'a'.repeat(40));
    const settings = {
      PUBLIC_URL: 'http://localhost:3000',
      DISABLE_BACKGROUND_WORKERS: 'true',
      AUTH_SECRET_FILE: join(data, 'secrets/auth_secret'),
    };
    writeFileSync(join(data, 'run.json'), JSON.stringify({ told: { settings, given: ['REDIS_URL'] } }));
    // Its database is called ballast; the tests' server has none of that name.
    const out = await vi.waitFor(
      async () => {
        const told = await doctor({});
        expect(told.out).toContain('Postgres has no database ballast');
        return told.out;
      },
      { timeout: 60_000, interval: 500 },
    );
    expect(out).toContain('REDIS_URL was given to npm start');
    rmSync(join(data, 'run.json'));
  });

  it('explains itself, and refuses what it does not know', async () => {
    expect(await doctor({}, '--help')).toMatchObject({ code: 0, out: expect.stringContaining('--all') });
    expect(await doctor({}, '--jsn')).toMatchObject({ code: 2, err: expect.stringContaining('did you mean --json?') });
  });

  it('has a row of docs/failure-matrix.md for everything it can say, under the same symptom', () => {
    const rows = readFileSync(join(root, 'docs/failure-matrix.md'), 'utf8').matchAll(/^\| `([\w.]+)` +\| (.+?) +\|/gm);
    const told = Object.fromEntries([...rows].map(([, code, symptom]) => [code, symptom]));
    expect(told).toEqual(Object.fromEntries(Object.entries(matrix).map(([code, { symptom }]) => [code, symptom])));
  });

  it('says everything that the matrix has', () => {
    const probes = join(root, 'packages/doctor/src/probes');
    const source = readdirSync(probes)
      .map((file) => readFileSync(join(probes, file), 'utf8'))
      .join('\n');
    const guard = readFileSync(join(root, 'packages/jobs/src/guard.ts'), 'utf8');
    const unsaid = Object.keys(matrix).filter((code) => {
      const shared = /^(queue|cache)\.(\w+)$/.exec(code);
      return ![`'${code}'`, shared && `\`\${kind}.${shared[2]}\``].some(
        (text) => text && `${source}${guard}`.includes(text),
      );
    });
    expect(unsaid).toEqual([]);
  });
});
