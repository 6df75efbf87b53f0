import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from '@ballast/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Process } from './config/settings.ts';
import { type ActiveModule, loadConfig } from './config.ts';

const random = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=';
const local = {
  DATABASE_URL: 'postgres://ballast_app:k3Wq9@127.0.0.1:5432/ballast',
  DATABASE_DISPATCHER_URL: 'postgres://ballast_dispatcher:k3Wq9@127.0.0.1:5432/ballast',
  AUTH_SECRET: random,
};
const production = {
  ...local,
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://app.acme.test',
  SMTP_URL: 'smtp://acme:Zk39xQ@mail.acme.test:587',
  MAIL_FROM: 'Acme <hello@acme.test>',
};

let secretsDirectory: string;
beforeEach(() => {
  secretsDirectory = mkdtempSync(join(tmpdir(), 'ballast-secrets-'));
});
afterEach(() => rmSync(secretsDirectory, { recursive: true }));

function load(env: Record<string, string | undefined>, modules: ActiveModule[] = [], processName: Process = 'api') {
  return loadConfig(processName, { env, secretsDirectory, modules });
}

function problemsOf(
  env: Record<string, string | undefined>,
  modules: ActiveModule[] = [],
  processName: Process = 'api',
) {
  try {
    load(env, modules, processName);
  } catch (error) {
    return String((error as { public?: string }).public);
  }
  return '';
}

function secret(name: string, content: string | Buffer): string {
  const path = join(secretsDirectory, name);
  writeFileSync(path, content);
  return path;
}

/** Root may read everything, so that a test of permissions needs to be someone else. */
function asNobody<Result>(work: () => Result): Result {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('loadConfig', () => {
  it('fills in defaults and development values on a laptop', () => {
    const config = load(local);
    expect(config.environment).toBe('local');
    expect(config.values).toMatchObject({
      PUBLIC_URL: 'http://localhost:3000',
      API_PORT: 3001,
      TRUSTED_PROXY_HOPS: 0,
      SHUTDOWN_GRACE_MS: 10_000,
      DISABLE_BACKGROUND_WORKERS: false,
      SMTP_URL: 'smtp://127.0.0.1:1025',
    });
    expect(config.warnings).toEqual([]);
  });

  it('accepts a complete production', () => {
    expect(load(production).environment).toBe('production');
    expect(load({ ...local, NODE_ENV: 'production', BALLAST_ENV: 'local' }).environment).toBe('local');
  });

  it('reports every problem at once, each by its name', () => {
    const text = problemsOf({
      API_PORT: 'http',
      TRUSTED_PROXY_HOPS: '-1',
      DISABLE_BACKGROUND_WORKERS: 'maybe',
      AUTH_SECRET: 'short',
    });
    for (const name of [
      'API_PORT must be a number',
      'TRUSTED_PROXY_HOPS',
      'DISABLE_BACKGROUND_WORKERS must be true or false',
      'AUTH_SECRET must have at least 32 characters',
      'DATABASE_URL is missing',
    ]) {
      expect(text).toContain(name);
    }
    expect(text).toMatch(/^The api cannot start: \d problems in its configuration\./);
  });

  it('never prints the value of a secret', () => {
    const env = {
      ...production,
      AUTH_SECRET: 'hunter2\nhunter2',
      DATABASE_URL: 'mysql://app:hunter2@db/x',
      SMTP_URL: 'ftp://u:hunter2@h',
      REDIS_URL: 'hunter2',
    };
    const text = problemsOf(env);
    expect(text).toContain('4 problems');
    expect(text).not.toContain('hunter2');
  });

  it('prefers a file in the secrets directory, then NAME_FILE, then the environment', () => {
    const other = mkdtempSync(join(tmpdir(), 'ballast-other-'));
    const path = join(other, 'mail');
    writeFileSync(path, 'File <file@acme.test>\n');
    expect(load({ ...local, MAIL_FROM: 'Env <env@acme.test>' }).values.MAIL_FROM).toContain('Env');
    expect(load({ ...local, MAIL_FROM: 'Env <env@acme.test>', MAIL_FROM_FILE: path }).values.MAIL_FROM).toBe(
      'File <file@acme.test>',
    );
    secret('mail_from', 'Secret <secret@acme.test>\n');
    expect(load({ ...local, MAIL_FROM_FILE: path }).values.MAIL_FROM).toContain('Secret');
    rmSync(other, { recursive: true });
  });

  it('finds secrets by their name as it is, and trims trailing newlines', () => {
    secret('AUTH_SECRET', `${random}\r\n\n`);
    expect(load({ ...local, AUTH_SECRET: undefined }).values.AUTH_SECRET).toBe(random);
  });

  it.each([
    ['empty', '', 'is set but empty'],
    ['only a newline', '\n', 'is set but empty'],
    ['an inner newline', `${random}\n${random}\n`, 'has a line break inside'],
    ['a byte order mark', `\ufeff${random}`, 'begins with a byte order mark'],
    ['UTF-16', Buffer.from(random, 'utf16le'), 'has a control character inside'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x41]), 'is not UTF-8 text'],
    ['surrounding spaces', ` ${random}`, 'begins or ends with a space'],
    ['a huge file', 'x'.repeat(70_000), 'is larger than 64 KiB'],
  ])('refuses a secret file with %s, by the file', (_case, content, sentence) => {
    const path = secret('auth_secret', content);
    const text = problemsOf({ ...local, AUTH_SECRET: random });
    expect(text).toContain(`- ${path} ${sentence}`);
    expect(text).toContain('one problem');
  });

  it('refuses a directory, and a file that is not there', () => {
    mkdirSync(join(secretsDirectory, 'auth_secret'));
    expect(problemsOf(local)).toContain(`${join(secretsDirectory, 'auth_secret')} is a directory`);
    expect(problemsOf({ ...local, SMTP_URL_FILE: '/nowhere/smtp' })).toContain(
      'SMTP_URL_FILE (/nowhere/smtp) does not exist',
    );
    expect(problemsOf({ ...local, SMTP_URL_FILE: '' })).toContain('SMTP_URL_FILE is set but empty');
  });

  it('refuses a file and a directory that may not be read', () => {
    const path = secret('auth_secret', random);
    chmodSync(path, 0);
    chmodSync(secretsDirectory, 0o755);
    expect(asNobody(() => problemsOf(local))).toContain(`${path} cannot be read: this process's user may not open it.`);
    chmodSync(secretsDirectory, 0);
    expect(asNobody(() => problemsOf(local))).toContain(`${secretsDirectory} cannot be read`);
    chmodSync(secretsDirectory, 0o755);
  });

  it.each(['REDIS_URL', 'SMTP_URL', 'AUTH_SECRET', 'PUBLIC_URL'])('refuses %s when it is set but empty', (name) => {
    expect(problemsOf({ ...local, [name]: '' })).toContain(`- ${name} is set but empty`);
  });

  it.each([
    'changeme',
    'CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME',
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    'my-secret-my-secret-my-secret-my-secret',
    'example-example-example-example-example',
    '<your secret of thirty-two characters>',
  ])('refuses the placeholder %s in production, and names the variable', (value) => {
    const text = problemsOf({ ...production, AUTH_SECRET: value });
    expect(text).toContain('- AUTH_SECRET is a placeholder');
    expect(text).not.toContain(value);
  });

  it('refuses placeholder passwords inside addresses, development values and example domains in production', () => {
    expect(problemsOf({ ...production, DATABASE_URL: 'postgres://ballast_app:changeme@db/ballast' })).toContain(
      'DATABASE_URL is a placeholder',
    );
    expect(problemsOf({ ...production, SMTP_URL: 'smtp://127.0.0.1:1025' })).toContain(
      'SMTP_URL is the development value',
    );
    expect(problemsOf({ ...production, MAIL_FROM: 'Acme <hello@example.com>' })).toContain(
      'MAIL_FROM names an example domain',
    );
    expect(problemsOf({ ...production, MAIL_FROM: undefined })).toContain('MAIL_FROM is missing');
    expect(problemsOf({ ...production, PUBLIC_URL: 'http://app.acme.test' })).toContain(
      'PUBLIC_URL must begin with https://',
    );
  });

  it('accepts random secrets that happen to contain a short word', () => {
    const value = 'aXxxbTestcNonedTodoeQ83vEjRWeJCrze8SNFZ4kKvN';
    expect(load({ ...production, AUTH_SECRET: value }).values.AUTH_SECRET).toBe(value);
  });

  it('asks for the dispatcher only where jobs are consumed', () => {
    const without = { ...local, DATABASE_DISPATCHER_URL: undefined };
    expect(problemsOf(without)).toContain('Or set DISABLE_BACKGROUND_WORKERS=true');
    expect(problemsOf({ ...without, DISABLE_BACKGROUND_WORKERS: 'true' })).toBe('');
    expect(problemsOf(without, [], 'worker')).toContain('DATABASE_DISPATCHER_URL is missing');
  });

  it('gives the migration the owner and no secret, and the API never the owner', () => {
    const owner = 'postgres://ballast_owner:k3Wq9@127.0.0.1:5432/ballast';
    const migrate = loadConfig('migrate', { env: { DATABASE_OWNER_URL: owner }, secretsDirectory });
    expect(migrate.values.DATABASE_OWNER_URL).toBe(owner);
    expect(migrate.values).not.toHaveProperty('AUTH_SECRET');
    expect(load({ ...local, DATABASE_OWNER_URL: owner }).values).not.toHaveProperty('DATABASE_OWNER_URL');
    expect(problemsOf({ ...production, DATABASE_OWNER_URL: owner })).toContain(
      'DATABASE_OWNER_URL is for the migration',
    );
  });

  describe('of keys', () => {
    const keys = `2027-01:${'k'.repeat(43)}`;
    const jobs = (...secrets: string[]) => [{ job: { name: 'desk.answer', secrets } }];
    const problems = (env: Record<string, string>, ...secrets: string[]) => {
      try {
        return String(
          loadConfig('worker', {
            env: { ...local, ...env },
            secretsDirectory,
            jobs: jobs(...secrets),
          }).values.ENCRYPTION_KEYS?.seal('x', 'y'),
        );
      } catch (error) {
        return (error as { public: string }).public;
      }
    };

    it('asks for them only where a job has secret fields', () => {
      expect(load(local).values.ENCRYPTION_KEYS).toBeUndefined();
      expect(problems({}, 'token')).toContain('ENCRYPTION_KEYS is missing, and the job desk.answer has secret fields');
      expect(problems({ ENCRYPTION_KEYS: keys }, 'token')).toMatch(/^sealed:v1:2027-01:/);
    });

    it('takes them from a file, and never shows one that is wrong', () => {
      expect(problems({ ENCRYPTION_KEYS_FILE: secret('keys', `${keys},old:${'o'.repeat(43)}\n`) })).toMatch(/^sealed/);
      const text = problems({ ENCRYPTION_KEYS: 'a:hunter2hunter2' }, 'token');
      expect(text).toContain('- ENCRYPTION_KEYS must be id:key pairs, separated by commas');
      expect(text).toContain('one problem');
      expect(text).not.toContain('hunter2');
    });
  });

  it('reads where traces go as OpenTelemetry writes it', () => {
    expect(load(local).values).toMatchObject({ OTEL_TRACES_SAMPLER_ARG: 1, TRUSTED_TRACEPARENT: false });
    expect(load(local).values.OTEL_EXPORTER_OTLP_ENDPOINT).toBeUndefined();
    const { values } = load({
      ...local,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%3Db, x-team = ops',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging',
      OTEL_TRACES_SAMPLER_ARG: '0.1',
    });
    expect(values.OTEL_EXPORTER_OTLP_HEADERS).toEqual({ 'api-key': 'a=b', 'x-team': 'ops' });
    expect(values.OTEL_RESOURCE_ATTRIBUTES).toEqual({ 'deployment.environment.name': 'staging' });
    expect(values.OTEL_TRACES_SAMPLER_ARG).toBe(0.1);
    const text = problemsOf({
      ...local,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://collector:4317',
      OTEL_EXPORTER_OTLP_HEADERS: 'hunter2',
      OTEL_RESOURCE_ATTRIBUTES: 'a=%zz',
      OTEL_TRACES_SAMPLER_ARG: '2',
    });
    expect(text).toContain('OTEL_EXPORTER_OTLP_ENDPOINT must be an address');
    expect(text).toContain('OTEL_EXPORTER_OTLP_HEADERS must be pairs');
    expect(text).toContain('OTEL_RESOURCE_ATTRIBUTES must be pairs');
    expect(text).toContain('OTEL_TRACES_SAMPLER_ARG must be from 0 to 1');
    expect(text).not.toContain('hunter2');
  });

  it.each(['https://acme.test?x', 'https://acme.test/?', 'https://acme.test#x', 'https://ada:pw@acme.test/'])(
    'refuses %s as an origin: links would be made of what it drops',
    (PUBLIC_URL) => {
      expect(problemsOf({ ...production, PUBLIC_URL })).toContain(
        'PUBLIC_URL must be an origin, without a query, a # or a login.',
      );
    },
  );

  it('takes an origin with its slash, and leaves the slash out', () => {
    expect(load({ ...production, PUBLIC_URL: 'https://acme.test/' }).values.PUBLIC_URL).toBe('https://acme.test');
  });

  it('refuses the kill switch of tests in production, by name', () => {
    const armed = { BALLAST_FAILPOINTS: 'run.started=kill' };
    for (const name of ['api', 'worker', 'migrate'] as const) {
      expect(problemsOf({ ...production, ...armed }, [], name)).toContain('BALLAST_FAILPOINTS kills and freezes');
    }
    expect(problemsOf({ ...production, BALLAST_FAILPOINTS: '' })).not.toContain('BALLAST_FAILPOINTS');
    expect(problemsOf({ ...local, ...armed })).not.toContain('BALLAST_FAILPOINTS');
  });

  it('says what a mistyped name was meant to be', () => {
    const { DATABASE_URL, ...rest } = local;
    expect(problemsOf({ ...rest, DATABSE_URL: DATABASE_URL })).toContain(
      'DATABSE_URL is set; did you mean DATABASE_URL?',
    );
    const { warnings } = load({
      ...local,
      SHUTDOWN_GRACE_SM: '5',
      HOSTNAME: 'x',
      LOGNAME: 'x',
      NODE_PATH: 'x',
      PATH: 'x',
    });
    expect(warnings).toEqual([
      'SHUTDOWN_GRACE_SM is set and no setting has this name; did you mean SHUTDOWN_GRACE_MS?',
    ]);
  });

  describe('with modules', () => {
    const support = defineConfig('support', {
      settings: {
        SUPPORT_EMAIL: { schema: z.email(), description: 'Where requests go.', development: 'help@ballast.localhost' },
        SUPPORT_TOKEN: { schema: z.string().optional(), description: 'For the desk.', secret: true },
      },
      options: z.strictObject({ maxChars: z.int().default(5_000) }),
    });

    it("merges the active modules' settings and options", () => {
      secret('support_token', 'Zk39xQ');
      const config = load(local, [{ config: support, options: { maxChars: 10 } }]);
      expect(config.settings(support)).toEqual({
        SUPPORT_EMAIL: 'help@ballast.localhost',
        SUPPORT_TOKEN: 'Zk39xQ',
        options: { maxChars: 10 },
      });
    });

    it('reports their problems with the others', () => {
      const text = problemsOf({ ...production, SUPPORT_TOKEN: 'changeme' }, [
        { config: support, options: { maxchars: 1 } },
      ]);
      expect(text).toContain('SUPPORT_EMAIL is missing: Where requests go.');
      expect(text).toContain('SUPPORT_TOKEN is a placeholder');
      expect(text).toContain('app.config.ts, support');
    });

    it('refuses to hand out the settings of a module that is off', () => {
      expect(() => load(local).settings(support)).toThrow(/support has no settings here/);
    });
  });
});
