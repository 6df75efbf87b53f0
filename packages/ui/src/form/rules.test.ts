import { expect, it } from 'vitest';
import { currentPassword, email, newPassword, text } from './rules.ts';

it.each(['ada@example.com', ' ada@example.com ', 'a.b+c@sub.example.co', 'o’brien@example.com', 'ü@exämple.de'])(
  'takes %j for an address',
  (value) => {
    expect(email(value)).toBeNull();
  },
);

it.each([
  ['', 'required'],
  ['   ', 'required'],
  ['ada', 'email'],
  ['ada@', 'email'],
  ['@example.com', 'email'],
  ['ada@example', 'email'],
  ['ada@example.', 'email'],
  ['ada@exam ple.com', 'email'],
  ['Ada <ada@example.com>', 'email'],
  ['a@b@c.de', 'email'],
  [`${'a'.repeat(250)}@example.com`, 'email'],
])('does not take %j for an address', (value, problem) => {
  expect(email(value)).toBe(problem);
});

it.each([
  ['', 'required'],
  ['123456789', 'passwordShort'],
  ['1234567890', null],
  ['          ', null],
  ['x'.repeat(128), null],
  ['x'.repeat(129), 'passwordLong'],
])('judges the new password %j', (value, problem) => {
  expect(newPassword(value)).toBe(problem);
});

it('judges a password that exists only by what the API can take', () => {
  expect(currentPassword('short')).toBeNull();
  expect(currentPassword('')).toBe('required');
  expect(currentPassword('x'.repeat(129))).toBe('passwordLong');
});

it('counts a text without the space around it', () => {
  expect(text(3)(' abc ')).toBeNull();
  expect(text(3)('abcd')).toBe('long');
  expect(text(3)('  ')).toBe('required');
});
