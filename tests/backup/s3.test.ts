/**
 * Backups in an object store instead of a folder: OpenStack Swift, by its S3 door and over TLS. What is stored there, a drill
 * from there, and a restore over a server that lost everything.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onServer } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type BackupStage, openBackupStage } from './stage.ts';

let stage: BackupStage;
let store: { env: Record<string, string>; objects(): string[]; stop(): void };

beforeAll(async () => {
  stage = await openBackupStage();
  store = await startStore(join(stage.folder, 'store'));
  await onServer(stage.ownerUrl, (sql) => sql.unsafe('create table kept (what text not null)'));
});
afterAll(async () => {
  store?.stop();
  await stage?.close();
});

const drills = () => onServer(stage.appUrl, (sql) => sql`select * from ballast.restore_drill order by id`);
const keep = (what: string) => onServer(stage.ownerUrl, (sql) => sql`insert into kept values (${what})`);

describe('backups in an object store', () => {
  it('begin with the service, and are proven from there', async () => {
    await keep('a-word-that-stands-nowhere-else');
    stage.serve(store.env);
    await vi.waitFor(async () => expect(await drills()).toMatchObject([{ proven: true, problem: null }]), {
      timeout: 600_000,
      interval: 500,
    });
    expect(readdirSync(join(stage.folder, 'repository'))).not.toContain('backup');
    const stored = store.objects();
    expect(stored.length).toBeGreaterThan(5);
    for (const object of stored) {
      expect(readFileSync(object).includes('a-word-that-stands-nowhere-else'), object).toBe(false);
    }
  });

  it('are listed, taken anew in parts, and cannot be reached with another login', async () => {
    // Larger than one part of an upload, and nothing that could be compressed.
    await onServer(stage.ownerUrl, (sql) =>
      sql.unsafe(`create table large as select gen_random_bytes.b from generate_series(1, 8000) n,
                  lateral (select decode(string_agg(md5(random()::text || n || m), ''), 'hex') as b from generate_series(1, 64) m) gen_random_bytes`),
    );
    const taken = await stage.ballast(['backup', '--full', '--json'], store.env);
    expect(taken, taken.err).toMatchObject({ code: 0 });
    expect(JSON.parse(taken.out).stored).toBeGreaterThan(6_000_000);
    const { out, err } = await stage.ballast(['backup', 'list'], store.env);
    expect(out.match(/\bfull\b/g)).toHaveLength(2);
    expect(err).toMatch(/Any moment since \d{4}-/);
    const refused = await stage.ballast(['backup', 'list'], { ...store.env, PGBACKREST_REPO1_S3_KEY_SECRET: 'wrong' });
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/403|SignatureDoesNotMatch|Forbidden/);
  });

  it('bring everything back when the server is gone', async () => {
    await keep('later');
    await stage.walSaved();
    await stage.stopPostgres('SIGKILL');
    rmSync(stage.dataFolder, { recursive: true, maxRetries: 20, retryDelay: 100 });
    const restored = await stage.ballast(['restore', '--to', 'latest'], store.env);
    expect(restored, restored.err).toMatchObject({ code: 0 });
    await stage.startPostgres();
    const [row] = await onServer(
      stage.ownerUrl,
      (sql) => sql`select array_agg(what order by what) as kept, (select count(*)::int from large) as large from kept`,
    );
    expect(row).toEqual({ kept: ['a-word-that-stands-nowhere-else', 'later'], large: 8_000 });
  });
});

/** Swift, until it is stopped. */
async function startStore(folder: string): Promise<typeof store> {
  mkdirSync(folder, { mode: 0o755 });
  const [certificate, key, data] = [join(folder, 'certificate'), join(folder, 'key'), join(folder, 'data')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-keyout', key, '-out', certificate, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ],
    { stdio: 'pipe' },
  );
  const port = await freePort();
  const code = join(import.meta.dirname, 's3');
  const server = spawn('/usr/bin/python3', [join(code, 'serve.py'), data, `${port}`, certificate, key, 'backups'], {
    env: { PATH: process.env.PATH, PYTHONPATH: code, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  server.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-5_000);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`Swift ended: ${said}`)));
    server.stdout.once('data', () => resolve());
  });
  return {
    env: {
      PGBACKREST_REPO1_TYPE: 's3',
      PGBACKREST_REPO1_PATH: '/ballast',
      PGBACKREST_REPO1_S3_BUCKET: 'backups',
      PGBACKREST_REPO1_S3_ENDPOINT: 'localhost',
      PGBACKREST_REPO1_STORAGE_PORT: `${port}`,
      PGBACKREST_REPO1_STORAGE_CA_FILE: certificate,
      PGBACKREST_REPO1_S3_REGION: 'us-east-1',
      PGBACKREST_REPO1_S3_URI_STYLE: 'path',
      PGBACKREST_REPO1_S3_KEY: 'test:tester',
      PGBACKREST_REPO1_S3_KEY_SECRET: 'testing',
    },
    objects: () =>
      readdirSync(join(data, 'devices'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.data'))
        .map((entry) => join(entry.parentPath, entry.name)),
    stop: () => server.stdin.end(),
  };
}
