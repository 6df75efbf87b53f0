import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import snapshot from '../../apps/api/src/generated/routes.snapshot.json' with { type: 'json' };
import { root } from '../start/settings.ts';

const windows: Record<number, string> = {
  60: 'a minute',
  300: '5 minutes',
  600: '10 minutes',
  900: '15 minutes',
  3600: 'an hour',
};

const page = readFileSync(join(root, 'docs/trust-security.md'), 'utf8');

it('docs/trust-security.md has every limit that a route has, and no other', () => {
  const [, table = ''] = /^\| what +\| by address +\| by account +\|\n(?:\|[ -|]+\n)((?:\|.*\n)+)/m.exec(page) ?? [];
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const told = rows.flatMap(([, , address, account]) => [
    ...(address ? [`address: ${address}`] : []),
    ...(account ? [`account: ${account}`] : []),
  ]);
  const has = snapshot.routes.flatMap(({ rateLimit }) =>
    rateLimit.flatMap(({ by, limit, windowSeconds }) =>
      by.map((subject) => `${subject}: ${limit} in ${windows[windowSeconds] ?? `${windowSeconds} s`}`),
    ),
  );
  expect([...new Set(told)].sort()).toEqual([...new Set(has)].sort());
});

it('it has every limit that an action counts by itself, by its name, and no other', () => {
  const [, table = ''] = /^\| what +\| of what +\| how often +\|\n(?:\|[ -|]+\n)((?:\|.*\n)+)/m.exec(page) ?? [];
  const told = [...table.matchAll(/^\| `([\w.-]+)`/gm)].map(([, name]) => name);
  const actions = globSync('modules/*/actions/*.ts', { cwd: root, exclude: ['**/*.test.ts'] });
  const has = actions
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .filter((source) => source.includes('ctx.limit('))
    .flatMap((source) => [...source.matchAll(/\bname: '([\w-]+\.[\w.-]+)'/g)].map(([, name]) => name));
  expect(told.sort()).toEqual(has.sort());
});
