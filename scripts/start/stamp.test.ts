import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { root } from './settings.ts';
import { buildOnChange, hashInputs } from './stamp.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ballast-stamp-'));
  mkdirSync(join(folder, 'src'));
  mkdirSync(join(folder, 'node_modules'));
  writeFileSync(join(folder, 'src/a.ts'), 'a');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hash = () => hashInputs([relative(root, folder)]);

test('contents and names count; tests, packages and outputs do not', () => {
  const before = hash();
  writeFileSync(join(folder, 'src/a.test.ts'), 'test');
  writeFileSync(join(folder, 'node_modules/x.js'), 'x');
  expect(hash()).toBe(before);
  writeFileSync(join(folder, 'src/a.ts'), 'b');
  const edited = hash();
  expect(edited).not.toBe(before);
  rmSync(join(folder, 'src/a.ts'));
  writeFileSync(join(folder, 'src/b.ts'), 'b');
  expect(hash()).not.toBe(edited);
});

test('a build runs once per state of its inputs', async () => {
  const stamp = join(folder, 'stamp');
  const build = vi.fn(async () => {});
  expect(await buildOnChange(stamp, () => 'one', build)).toBe(true);
  expect(await buildOnChange(stamp, () => 'one', build)).toBe(false);
  expect(await buildOnChange(stamp, () => 'two', build)).toBe(true);
  expect(build).toHaveBeenCalledTimes(2);
});

test('a build that failed runs again, also when the inputs return to what they were', async () => {
  const stamp = join(folder, 'stamp');
  await buildOnChange(
    stamp,
    () => 'one',
    async () => {},
  );
  const failing = buildOnChange(
    stamp,
    () => 'two',
    async () => Promise.reject(new Error('broken')),
  );
  await expect(failing).rejects.toThrow('broken');
  expect(
    await buildOnChange(
      stamp,
      () => 'one',
      async () => {},
    ),
  ).toBe(true);
});
