import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseKeyRing } from '@ballast/kernel/key-ring';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encryptionKeys, secretFile } from './secrets.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'ballast-secrets-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

test('a secret is made once, and only its owner may read it', () => {
  const first = secretFile(data, 'auth_secret');
  expect(first.value.length).toBeGreaterThanOrEqual(32);
  expect(secretFile(data, 'auth_secret').value).toBe(first.value);
  expect(statSync(first.file).mode & 0o777).toBe(0o600);
  expect(statSync(join(data, 'secrets')).mode & 0o777).toBe(0o700);
});

test('keys have the form that the API reads, and one file keeps them', () => {
  const { value } = secretFile(data, 'encryption_keys', encryptionKeys);
  expect(parseKeyRing(value).seal('x', 'y')).toMatch(/^sealed:v1:local:/);
  expect(secretFile(data, 'encryption_keys', encryptionKeys).value).toBe(value);
});

test('an empty file, as a full disk leaves, is made anew', () => {
  const { file } = secretFile(data, 'auth_secret');
  writeFileSync(file, '\n');
  expect(secretFile(data, 'auth_secret').value).not.toBe('');
});
