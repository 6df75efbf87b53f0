import { expect, it } from 'vitest';
import { personOf } from './account-action.ts';

it('a route that lets strangers in cannot act on an account by mistake', () => {
  expect(personOf({ userId: 'ada' })).toBe('ada');
  expect(() => personOf({ userId: null })).toThrow('access: "session"');
});
