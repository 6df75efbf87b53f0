import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const folder = resolve(import.meta.dirname, '../../docs/decisions');

it('numbers every decision once, in its name and in its title', () => {
  const files = readdirSync(folder).sort();
  const numbers = files.map((file) => Number(/^(\d{4})-/.exec(file)?.[1]));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  for (const [index, file] of files.entries()) {
    expect(readFileSync(join(folder, file), 'utf8').split('\n')[0], file).toMatch(new RegExp(`^# ${index + 1}\\. `));
  }
});
