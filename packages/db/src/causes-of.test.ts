import { expect, it } from 'vitest';
import { causesOf } from './causes-of.ts';

it('lists the error and its causes, the outermost first', () => {
  const inner = Object.assign(new Error('duplicate key'), { code: '23505', constraint_name: 'domain_proved' });
  const outer = new Error('Failed query', { cause: inner });
  expect(causesOf(outer)).toEqual([outer, inner]);
  expect(causesOf(outer).map(({ code }) => code)).toEqual([undefined, '23505']);
});

it('ends for a chain that leads back to its beginning', () => {
  const error = new Error('one');
  error.cause = new Error('two', { cause: error });
  expect(causesOf(error)).toHaveLength(5);
});

it.each([undefined, null, 'text', { cause: new Error('one') }])('is empty for what is no error: %j', (thrown) => {
  expect(causesOf(thrown)).toEqual([]);
});
