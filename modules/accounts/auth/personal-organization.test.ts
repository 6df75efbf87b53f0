import { expect, it } from 'vitest';
import { slugOf } from './personal-organization.ts';

const id = '0b9f3c1e-7a42-4b6e-9f0d-1c2b3a4d5e6f';

it.each([
  ['Ada Lovelace', 'ada-lovelace-0b9f3c1e7a42'],
  ['Zoë  Größe', 'zoe-gro-e-0b9f3c1e7a42'],
  ['李小龍', 'space-0b9f3c1e7a42'],
  ['--', 'space-0b9f3c1e7a42'],
  [`${'x'.repeat(29)} y`, `${'x'.repeat(29)}-0b9f3c1e7a42`],
])('makes an address of %s', (name, slug) => {
  expect(slugOf({ id, name })).toBe(slug);
  expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
});
