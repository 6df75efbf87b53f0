import { expect, it } from 'vitest';
import { safeNextPath } from './next-path.ts';

it.each(['/settings', '/settings?tab=1#sessions', '/support/0192?x=%2F', '/a%20b', '/apiary', '/sign-in-help'])(
  'goes to %s',
  (path) => {
    expect(safeNextPath(path)).toBe(path);
  },
);

it.each([
  undefined,
  null,
  '',
  ['/settings', '/other'],
  'settings',
  'https://evil.example',
  'javascript:alert(1)',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/./\t/evil.example',
  '/..//evil.example',
  '/.//evil.example',
  '/%2e//evil.example',
  ' /settings',
  '/settings\u0000',
  '/api/accounts/sign-out',
  '/API/x',
  '/x/../api/accounts/me',
  '/sign-in?next=/sign-in',
  '/sign-up',
  '/_next/static/x.js',
  `/${'a'.repeat(2001)}`,
])('goes to the dashboard instead of %j', (path) => {
  expect(safeNextPath(path)).toBe('/dashboard');
});
