import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../start/settings.ts';

const page = readFileSync(join(root, 'docs/failure-matrix.md'), 'utf8');
const [, section = ''] = page.split('## Each fault, and its test');
const rows = section
  .split('\n')
  .filter((line) => /^\| +\d/.test(line))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\||\|$/g, '').trim()));

/** No module sends webhooks, so there is nothing to hurt. */
const withoutTest = ['35', '36', '37'];

/** The tests that a row names: part of a name, and the file that is to hold it. */
function testsOf(cell: string): { path: string; name: string }[] {
  return cell.split(/; (?=`)/).flatMap((group) => {
    const path = /^`([^`]+\.test\.ts)`/.exec(group)?.[1] ?? '';
    return [...group.matchAll(/(?<!\w)_([^_]+)_(?!\w)/g)].map(([, name = '']) => ({
      path,
      name: name.replaceAll('\\', ''),
    }));
  });
}

describe('the table of faults', () => {
  it('has every row once, in order', () => {
    expect(rows.map(([number]) => number)).toEqual(Array.from({ length: 50 }, (_, index) => String(index + 1)));
  });

  it.each(rows.map(([number = '', fault = '', , tests = '']) => [number, fault, testsOf(tests)] as const))(
    'row %s, %s: its tests exist',
    (number, _fault, tests) => {
      expect(tests.length > 0).toBe(!withoutTest.includes(number));
      for (const { path, name } of tests) {
        expect(existsSync(join(root, path)), path).toBe(true);
        expect(readFileSync(join(root, path), 'utf8')).toContain(name);
      }
    },
  );
});
