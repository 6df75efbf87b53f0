import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { previousRelease } from './previous-release.ts';

let checkout: string;
beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'ballast-release-'));
  git('init', '--quiet');
});
afterAll(() => rmSync(checkout, { recursive: true }));

function git(...args: string[]): void {
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@acme.test', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...who, ...args], { cwd: checkout, stdio: 'ignore' });
}
const commit = () => git('commit', '--quiet', '--allow-empty', '-m', 'Something');

test('is the newest tag behind a commit, and of a tagged commit the one before its own', () => {
  commit();
  expect(previousRelease(checkout)).toBeNull();
  git('tag', 'v1.0.0');
  expect(previousRelease(checkout)).toBeNull();
  commit();
  expect(previousRelease(checkout)).toBe('v1.0.0');
  git('tag', 'nightly');
  commit();
  expect(previousRelease(checkout)).toBe('v1.0.0');
  git('tag', 'v1.1.0');
  expect(previousRelease(checkout)).toBe('v1.0.0');
  commit();
  expect(previousRelease(checkout)).toBe('v1.1.0');
});
