import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { backupSettings } from './settings.ts';

let secretsDirectory: string;
beforeEach(() => {
  secretsDirectory = mkdtempSync(join(tmpdir(), 'ballast-backup-settings-'));
});
afterEach(() => rmSync(secretsDirectory, { recursive: true }));

const told = (env: Record<string, string> = {}) =>
  backupSettings({ env: { BACKUP_KEY: 'of-the-tests-and-long-enough-to-be-one', ...env }, secretsDirectory, root: '/' })
    .pgbackrest;

it('tells pgBackRest what the environment says, and nothing that is set without a value', () => {
  const env = {
    PGBACKREST_REPO1_S3_URI_STYLE: 'path',
    PGBACKREST_REPO1_STORAGE_PORT: '9000',
    PGBACKREST_REPO1_TYPE: '',
  };
  expect(told(env)).toMatchObject({ PGBACKREST_REPO1_S3_URI_STYLE: 'path', PGBACKREST_REPO1_STORAGE_PORT: '9000' });
  expect(told(env)).not.toHaveProperty('PGBACKREST_REPO1_TYPE');
});

it('names the certificate that came with the secrets, unless the environment names another', () => {
  expect(told()).not.toHaveProperty('PGBACKREST_REPO1_STORAGE_CA_FILE');
  const file = join(secretsDirectory, 'pgbackrest_repo1_storage_ca');
  writeFileSync(file, 'a certificate');
  expect(told().PGBACKREST_REPO1_STORAGE_CA_FILE).toBe(file);
  expect(told({ PGBACKREST_REPO1_STORAGE_CA_FILE: '/etc/ssl/own.pem' }).PGBACKREST_REPO1_STORAGE_CA_FILE).toBe(
    '/etc/ssl/own.pem',
  );
});
