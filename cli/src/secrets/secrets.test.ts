import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseKeyRing } from '@ballast/kernel/key-ring';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../apps/api/src/config.ts';
import { run } from '../run.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ballast-secrets-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const file = (...names: string[]) => join(root, 'secrets', ...names);
const read = (...names: string[]) => readFileSync(file(...names), 'utf8').trim();
const write = (name: string, content: string | Buffer) => writeFileSync(file(name), content, { mode: 0o600 });
const delivered = (...names: string[]) => readFileSync(join(root, 'out', ...names), 'utf8').trim();

async function secrets(...words: string[]) {
  const out: string[] = [];
  const code = await run(['secrets', ...words], {
    root,
    env: {},
    secretsDirectory: '/nowhere',
    out: (text) => out.push(text),
    err: (text) => out.push(text),
  });
  return { code, said: out.join('\n') };
}

/** All values that must never be shown. */
const values = () =>
  readdirSync(file())
    .map((name) => read(name))
    .flatMap((value) => [value, URL.canParse(value) ? new URL(value).password || value : value]);

async function initialised() {
  const { code } = await secrets('init');
  expect(code).toBe(0);
  write('smtp_url', 'smtp://mail:k3Wq9@smtp.acme.test:587\n');
}

describe('secrets init', () => {
  it('makes strong values that only their owner may read, once, and says what is left to give', async () => {
    const first = await secrets('init');
    expect(first).toMatchObject({ code: 0, said: expect.stringContaining('smtp_url is missing') });
    expect(statSync(file()).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(file())) {
      expect(statSync(file(name)).mode & 0o777, name).toBe(0o600);
      const secret = name.endsWith('_url') ? new URL(read(name)).password : read(name);
      expect(secret.length, name).toBeGreaterThanOrEqual(32);
    }
    expect(new Set(values()).size).toBeGreaterThan(15);
    const before = values();
    const again = await secrets('init');
    expect(values()).toEqual(before);
    for (const value of before) expect(first.said + again.said).not.toContain(value);
  });

  it('writes where nothing is committed from, and nothing gets into an image from', () => {
    const lines = (name: string) => readFileSync(resolve(import.meta.dirname, '../../..', name), 'utf8').split('\n');
    expect(lines('.gitignore')).toEqual(expect.arrayContaining(['/secrets/', '.env', '.env.*']));
    expect(lines('.dockerignore')).toEqual(expect.arrayContaining(['secrets', '.env', '.env.*']));
  });

  it('makes what the processes accept', async () => {
    await initialised();
    await secrets('deliver', 'out', '--from', 'secrets');
    const env = { NODE_ENV: 'production', PUBLIC_URL: 'https://acme.test', MAIL_FROM: 'Acme <hello@acme.test>' };
    for (const process of ['api', 'worker', 'migrate', 'preparation'] as const) {
      const holder = process === 'preparation' ? 'migrate' : process;
      const given = {
        env: { ...env, DISABLE_BACKGROUND_WORKERS: 'true' },
        secretsDirectory: join(root, 'out', holder),
      };
      expect(() => loadConfig(process, given), process).not.toThrow();
    }
  });
});

describe('secrets check', () => {
  it('is content with what init made, once the rest is given', async () => {
    await initialised();
    expect(await secrets('check')).toMatchObject({ code: 0, said: expect.stringMatching(/^All 13 secrets/) });
  });

  it('names every file that cannot be used, all at once, and shows no value', async () => {
    await initialised();
    const password = new URL(read('redis_url')).password;
    rmSync(file('database_url'));
    write('databaseurl', 'postgres://ballast_app:k3Wq9@postgres:5432/ballast');
    write('auth_secret', '');
    write('redis_url', `\ufeff${read('redis_url')}`);
    write('redis_queue_url', 'redis://redis-queue:6379');
    rmSync(file('smtp_url'));
    mkdirSync(file('smtp_url'));
    write('database_owner_url', 'postgres://postgres:k3Wq9@postgres:5432/ballast');
    write('database_backup_url', 'postgres://ballast_backup:changeme@postgres:5432/ballast');
    write('encryption_keys', 'one');
    write('database_dispatcher_url', `${read('database_dispatcher_url')}\r\n`);
    chmodSync(file('database_admin_url'), 0o644);
    const { code, said } = await secrets('check');
    expect(code).toBe(1);
    expect(said.split('\n').sort()).toEqual(
      [
        `${file('database_url')} is missing: Postgres as ballast_app: owns nothing, cannot bypass row-level security. There is databaseurl; did you mean database_url?`,
        `${file('auth_secret')} is set but empty; give it a value, or remove it.`,
        `${file('redis_url')} begins with a byte order mark; save it as UTF-8 without BOM.`,
        `${file('redis_queue_url')} must have a password.`,
        `${file('smtp_url')} is a directory; Docker makes one when the file to mount does not exist.`,
        `${file('database_owner_url')} must log in as ballast_owner.`,
        `${file('database_backup_url')} is a placeholder; give it a value of its own.`,
        `${file('encryption_keys')} must be id:key pairs, separated by commas; each key is 32 bytes in base64.`,
        `${file('database_admin_url')} may be read by others (mode 644): chmod 600 ${file('database_admin_url')}`,
      ].sort(),
    );
    expect(said).not.toContain('k3Wq9');
    expect(said).not.toContain(password);
  });
});

describe('secrets rotate', () => {
  /** What replicas hold that started before a step, and after it: they run beside each other while a roll lasts. */
  const signing = () => ({
    signs: read('auth_secret'),
    accepts: [read('auth_secret'), existsSync(file('auth_secret_previous')) ? read('auth_secret_previous') : ''],
  });

  it('replaces the signing key so that replicas of either side of a roll accept what the other signs', async () => {
    await initialised();
    const former = read('auth_secret');
    const states = [signing()];
    const first = await secrets('rotate', 'AUTH_SECRET');
    expect(first).toMatchObject({ code: 0, said: expect.stringMatching(/deploy\/roll\.sh.*deploy\/stack\.sh/) });
    expect(first.said).toContain('secrets rotate auth_secret --promote');
    expect(read('auth_secret')).toBe(former);
    states.push(signing());
    // A second time makes no other key beside the one that replicas learn now.
    expect((await secrets('rotate', 'auth_secret')).code).toBe(1);
    expect(signing()).toEqual(states[1]);
    expect(await secrets('check')).toMatchObject({ code: 0 });
    expect(await secrets('rotate', 'auth_secret', '--promote')).toMatchObject({ code: 0 });
    states.push(signing());
    expect(read('auth_secret')).not.toBe(former);
    expect(read('auth_secret_previous')).toBe(former);
    for (const [at, after] of states.slice(1).entries()) {
      expect(states[at]?.accepts, `before step ${at + 1}`).toContain(after.signs);
      expect(after.accepts, `after step ${at + 1}`).toContain(states[at]?.signs);
    }
    for (const name of ['auth_secret', 'auth_secret_previous']) expect(statSync(file(name)).mode & 0o777).toBe(0o600);
    expect(readdirSync(file())).not.toContain('auth_secret_next');
    // Twice would bring the former key back.
    expect((await secrets('rotate', 'auth_secret', '--promote')).code).toBe(1);
    expect(signing()).toEqual(states[2]);
    // The next rotation ends this overlap, and says so.
    expect((await secrets('rotate', 'auth_secret')).said).toContain('before the present one');
  });

  it('replaces the key that seals so that workers of either side of a roll open what the other seals', async () => {
    await initialised();
    const rings = [read('encryption_keys')];
    const step = async (...words: string[]) => {
      expect(await secrets('rotate', 'encryption_keys', ...words)).toMatchObject({ code: 0 });
      expect(await secrets('check')).toMatchObject({ code: 0 });
      rings.push(read('encryption_keys'));
    };
    await step();
    expect((await secrets('rotate', 'encryption_keys')).code).toBe(1);
    await step('--promote');
    await step();
    await step('--promote');
    for (const [at, after] of rings.slice(1).entries()) {
      const [one, other] = [parseKeyRing(rings[at] as string), parseKeyRing(after)];
      expect(one.open(other.seal('a token', 'here'), 'here'), `before step ${at + 1}`).toBe('a token');
      expect(other.open(one.seal('a token', 'here'), 'here'), `after step ${at + 1}`).toBe('a token');
    }
    const ids = rings.map((ring) => ring.split(','));
    expect(ids.map((ring) => ring.length)).toEqual([1, 2, 2, 3, 3]);
    expect(ids[2]).toEqual([ids[1]?.[1], ids[1]?.[0]]);
    expect(ids[4]).toEqual([ids[3]?.[2], ids[3]?.[0], ids[3]?.[1]]);
    expect((await secrets('rotate', 'encryption_keys', '--promote')).code).toBe(1);
  });

  it('goes on where it was interrupted, with the same key', async () => {
    await initialised();
    await secrets('rotate', 'auth_secret');
    const [former, next] = [read('auth_secret'), read('auth_secret_next')];
    // As after the first of the two writes of a promotion that ended there.
    write('auth_secret_previous', former);
    expect((await secrets('rotate', 'auth_secret', '--promote')).code).toBe(1);
    expect(await secrets('rotate', 'auth_secret')).toMatchObject({ code: 0 });
    expect(signing()).toEqual({ signs: former, accepts: [former, next] });
    expect(await secrets('rotate', 'auth_secret', '--promote')).toMatchObject({ code: 0 });
    expect(signing()).toEqual({ signs: next, accepts: [next, former] });
  });

  it('names the services that have to start again, for Compose and for Swarm', async () => {
    await initialised();
    const restarted = async (name: string) => {
      const { said } = await secrets('rotate', name);
      expect(said, name).toContain('deploy/stack.sh');
      return /--force-recreate (.*), or on Swarm/.exec(said)?.[1];
    };
    expect(await restarted('redis_url')).toBe('redis-cache api worker web');
    expect(await restarted('database_url')).toBe('migrate api worker (and pooler, where it runs)');
    expect(await restarted('database_backup_url')).toBe('migrate (and backup, where it runs)');
    expect((await secrets('rotate', 'redis_url', '--promote')).code).toBe(1);
  });

  it("changes an address's password and nothing else", async () => {
    await initialised();
    const before = new URL(read('database_url'));
    await secrets('rotate', 'database_url');
    const after = new URL(read('database_url'));
    expect(after.password).not.toBe(before.password);
    after.password = before.password;
    expect(after.href).toBe(before.href);
  });

  it('says what to do where no tool can', async () => {
    await initialised();
    for (const name of ['smtp_url', 'database_admin_url', 'auth_secret_previous']) {
      const before = values();
      expect((await secrets('rotate', name)).code, name).toBe(1);
      expect(values()).toEqual(before);
    }
    expect(await secrets('rotate', 'auth_secrt')).toMatchObject({
      code: 2,
      said: expect.stringContaining('did you mean auth_secret?'),
    });
  });
});

describe('secrets deliver', () => {
  it('gives backups the certificate of an object store as it stands, and refuses what is none', async () => {
    await initialised();
    const [key, certificate] = [join(root, 'key'), file('pgbackrest_repo1_storage_ca')];
    const asked = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-subj',
      '/CN=example',
    ];
    execFileSync('openssl', [...asked, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
    chmodSync(certificate, 0o600);
    const pem = read('pgbackrest_repo1_storage_ca');
    write('pgbackrest_repo1_storage_ca', `${pem}\n${pem}\n`);
    expect(await secrets('deliver', 'out', '--from', 'secrets')).toMatchObject({ code: 0 });
    expect(delivered('backup', 'pgbackrest_repo1_storage_ca')).toBe(`${pem}\n${pem}`);
    expect(existsSync(join(root, 'out/api/pgbackrest_repo1_storage_ca'))).toBe(false);
    for (const wrong of ['', readFileSync(key, 'utf8'), `${pem}\n${readFileSync(key, 'utf8')}`, pem.slice(0, 200)]) {
      write('pgbackrest_repo1_storage_ca', wrong);
      const { code, said } = await secrets('check');
      expect({ code, said }).toMatchObject({ code: 1, said: expect.stringContaining(`${certificate} `) });
    }
  });

  it('makes the secrets of a laptop once, and gives each service its own', async () => {
    expect(await secrets('deliver', 'out')).toMatchObject({ code: 0 });
    const auth = delivered('api', 'auth_secret');
    expect(await secrets('deliver', 'out')).toMatchObject({ code: 0 });
    expect(delivered('worker', 'auth_secret')).toBe(auth);
    expect(readdirSync(join(root, 'out/postgres'))).toEqual(['postgres_password']);
    for (const holder of ['api', 'worker']) {
      const held = readdirSync(join(root, 'out', holder));
      expect(held).not.toContain('database_owner_url');
      expect(held).not.toContain('database_admin_url');
    }
    expect(statSync(join(root, 'out/source')).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, 'out/api/auth_secret')).mode & 0o777).toBe(0o444);
  });

  it('gives nobody more than it needs', async () => {
    await initialised();
    await secrets('rotate', 'auth_secret');
    await secrets('deliver', 'out', '--from', 'secrets');
    const held = readdirSync(join(root, 'out')).map((holder) => [
      holder,
      readdirSync(join(root, 'out', holder)).sort(),
    ]);
    const served = ['auth_secret', 'auth_secret_previous', 'database_url', 'encryption_keys', 'redis_queue_url'];
    expect(Object.fromEntries(held)).toEqual({
      api: [...served, 'redis_url', 'smtp_url'],
      worker: [...served, 'database_dispatcher_url', 'redis_url', 'smtp_url'].sort(),
      web: ['next_server_actions_encryption_key', 'redis_url'],
      migrate: [
        ...[
          'database_admin_url',
          'database_backup_url',
          'database_dispatcher_url',
          'database_owner_url',
          'database_url',
        ],
        'redis_queue_url',
      ],
      backup: ['backup_key', 'database_backup_url'],
      postgres: ['postgres_password'],
      'redis-cache': ['users.acl'],
      'redis-queue': ['users.acl'],
      pooler: ['userlist.txt'],
      grafana: ['grafana_admin_password'],
    });
  });

  it('can be read by the services, whatever mask the one has who gives it out', () => {
    mkdirSync(join(root, 'out'));
    const main = resolve(import.meta.dirname, '../main.ts');
    const words = `umask 077; "${process.execPath}" "${main}" secrets deliver "${join(root, 'out')}"`;
    execFileSync('sh', ['-c', words], { stdio: 'ignore' });
    expect(statSync(join(root, 'out/api/auth_secret')).mode & 0o777).toBe(0o444);
    expect(statSync(join(root, 'out/source/auth_secret')).mode & 0o777).toBe(0o600);
  });

  it("gives Redis a hash of its password, PgBouncer the app's, and a module's file to those who run modules", async () => {
    await initialised();
    write('database_url', 'postgres://ballast_app:k3%22Wq9-of-the-app@postgres:5432/ballast');
    write('billing_api_key', 'k3Wq9-of-a-module');
    await secrets('deliver', 'out', '--from', 'secrets');
    const { password } = new URL(read('redis_queue_url'));
    const list = delivered('redis-queue', 'users.acl');
    expect(list).toContain(createHash('sha256').update(password).digest('hex'));
    expect(list).not.toContain(password);
    expect(delivered('pooler', 'userlist.txt').split('\n')).toEqual([
      '"ballast_app" "k3""Wq9-of-the-app"',
      '"ballast_auth" "k3""Wq9-of-the-app"',
    ]);
    expect(readdirSync(join(root, 'out/pooler'))).toEqual(['userlist.txt']);
    expect(delivered('worker', 'billing_api_key')).toBe('k3Wq9-of-a-module');
    expect(readdirSync(join(root, 'out/migrate'))).not.toContain('billing_api_key');
  });

  it('takes back what is gone, and delivers nothing when something is wrong', async () => {
    await initialised();
    await secrets('rotate', 'auth_secret');
    await secrets('deliver', 'out', '--from', 'secrets');
    expect(delivered('api', 'auth_secret_previous')).toHaveLength(43);
    rmSync(file('auth_secret_previous'));
    await secrets('deliver', 'out', '--from', 'secrets');
    expect(readdirSync(join(root, 'out/api'))).not.toContain('auth_secret_previous');

    const before = delivered('api', 'auth_secret');
    write('auth_secret', 'another-key-that-nobody-is-to-be-given-yet');
    write('redis_url', ' ');
    expect((await secrets('deliver', 'out', '--from', 'secrets')).code).toBe(1);
    expect(delivered('api', 'auth_secret')).toBe(before);
  });
});
