/** What doctor is told of the process beside it: a setting that does not get here is judged by its default. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';

let data: string;
beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'ballast-subject-'));
});
afterAll(() => rmSync(data, { recursive: true }));
afterEach(() => {
  vi.doUnmock('../../../app.config.ts');
  vi.resetModules();
});

const database = 'postgres://ballast_app:pass-word@db.test:5432/ballast';

async function subjectOf(env: Record<string, string>) {
  const { readSubject } = await import('./read-subject.ts');
  const own = { BALLAST_DATA: data, BALLAST_ENV: 'local', DATABASE_URL: database, AUTH_SECRET: 'a'.repeat(40), ...env };
  return readSubject({ root: resolve(import.meta.dirname, '../../..'), env: own, secretsDirectory: '/nowhere' });
}

it('takes over what the process was given', async () => {
  const subject = await subjectOf({
    DISABLE_BACKGROUND_WORKERS: 'true',
    REDIS_URL: 'redis://cache.test:6379',
    REDIS_QUEUE_URL: 'redis://queue.test:6379',
    SMTP_URL: 'smtp://mail.test:25',
    PUBLIC_URL: 'https://app.acme.test',
    DATABASE_POOL_SIZE: '7',
    REQUEST_TIMEOUT_MS: '9000',
    DATABASE_POOLER: 'postgres://pooler.test:6432',
  });
  expect(subject).toMatchObject({
    databaseUrl: database,
    queueUrl: 'redis://queue.test:6379',
    cacheUrl: 'redis://cache.test:6379',
    smtpUrl: 'smtp://mail.test:25',
    publicUrl: 'https://app.acme.test',
    poolSize: 7,
    requestMs: 9_000,
    consumes: false,
    staleSnapshot: null,
    problems: [],
  });
  expect(subject.poolerUrl).toContain('pooler.test:6432');
  expect(subject.jobs).toContain('accounts.send-verification@1');
  expect(subject.migrations.length).toBeGreaterThan(8);
  expect((await subjectOf({ DATABASE_DISPATCHER_URL: database })).consumes).toBe(true);
});

it('sees that the generated code is of other modules than app.config.ts says', async () => {
  vi.resetModules();
  vi.doMock('../../../app.config.ts', async (original) => {
    const { default: app } = await original<{ default: { modules: object } }>();
    return { default: { ...app, modules: { ...app.modules, support: false } } };
  });
  const { staleSnapshot } = await subjectOf({ DISABLE_BACKGROUND_WORKERS: 'true' });
  expect(staleSnapshot).toContain(
    'app.config.ts switches on accounts, domains, but the generated code was written for',
  );
});
