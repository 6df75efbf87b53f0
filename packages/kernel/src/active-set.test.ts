import { expect, test } from 'vitest';
import { activeModules, activeSetHash } from './active-set.ts';

const hash = (modules: Record<string, boolean | Record<string, unknown>>) => activeSetHash({ name: 'App', modules });

test('what means the same has one hash', () => {
  const base = hash({ accounts: true, support: { a: 1, b: { c: 2, d: 3 } } });
  expect(hash({ support: { b: { d: 3, c: 2 }, a: 1 }, accounts: {} })).toBe(base);
  expect(hash({ accounts: true, billing: false, support: { a: 1, b: { c: 2, d: 3 } } })).toBe(base);
});

test('a module or an option more is another set', () => {
  const base = hash({ accounts: true });
  expect(hash({ accounts: true, support: true })).not.toBe(base);
  expect(hash({ accounts: { sessionDays: 7 } })).not.toBe(base);
  expect(hash({ accounts: { sessionDays: 7 } })).not.toBe(hash({ accounts: { sessionDays: '7' } }));
});

test('what is off is absent', () => {
  expect(activeModules({ name: 'App', modules: { support: false, billing: { plan: 'a' }, accounts: true } })).toEqual([
    { name: 'accounts', options: {} },
    { name: 'billing', options: { plan: 'a' } },
  ]);
});
