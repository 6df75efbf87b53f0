import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newPassword } from '@ballast/ui/form/rules';
import { expect, it } from 'vitest';
import { passwordLength } from './password-length.ts';

const { min, max } = passwordLength;
const messages = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');

// The browser cannot import what the server decides: what the forms hold and say stands there a second time.
it('is what the forms hold', () => {
  expect(newPassword('x'.repeat(min - 1))).toBe('passwordShort');
  expect(newPassword('x'.repeat(min))).toBeNull();
  expect(newPassword('x'.repeat(max))).toBeNull();
  expect(newPassword('x'.repeat(max + 1))).toBe('passwordLong');
});

it.each(['modules/accounts/messages/en.json', 'apps/web/messages/en.json'])('is what %s says', (path) => {
  const said = (pattern: RegExp) => new Set([...messages(path).matchAll(pattern)].map(([, length]) => Number(length)));
  expect(said(/at least (\d+) characters/gi)).toEqual(new Set([min]));
  expect([...said(/at most (\d+) characters/gi)].filter((length) => length !== max)).toEqual([]);
});
