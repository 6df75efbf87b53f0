import type { Log } from '@ballast/kernel';
import { expect, it } from 'vitest';
import { concealing } from './conceal.ts';

const said: unknown[] = [];
const keep = (fields: Record<string, unknown>, message: string) => void said.push(fields, message);
const log: Log = { debug: keep, info: keep, warn: keep, error: keep };

it('takes every value out of a text, whole or escaped, and leaves the rest', () => {
  const { text } = concealing(['a secret/of"two', { pin: 123_456, list: ['inner-value'] }, 'a secret/of"two and more']);
  expect(text('a secret/of"two and more, a secret/of"two')).toBe('[secret], [secret]');
  expect(text('GET /?t=a%20secret%2Fof%22two&p=123456 failed')).toBe('GET /?t=[secret]&p=[secret] failed');
  expect(text(JSON.stringify({ token: 'a secret/of"two' }))).toBe('{"token":"[secret]"}');
  expect(text('inner-value')).toBe('[secret]');
  expect(text('nothing of it')).toBe('nothing of it');
});

it('looks into whatever a line of the log is given', () => {
  const cause = Object.assign(new Error('sent hunter2 away'), { code: 'E_HUNTER' });
  const error = new TypeError('cannot reach http://x/?token=hunter2', { cause });
  concealing(['hunter2', 987_654])
    .log(log)
    .warn(
      { error, hunter2: 1, deep: [{ token: 'xhunter2x', code: 987_654, at: new Date(0) }], ok: true },
      'with hunter2',
    );
  const [fields, message] = said.splice(0) as [Record<string, unknown>, string];
  expect(message).toBe('with [secret]');
  expect(fields).toMatchObject({
    '[secret]': 1,
    deep: [{ token: 'x[secret]x', code: '[secret]', at: new Date(0) }],
    ok: true,
  });
  const shown = fields.error as Error;
  expect(shown).toBeInstanceOf(Error);
  expect(shown).toMatchObject({ name: 'TypeError', message: 'cannot reach http://x/?token=[secret]' });
  expect(shown.cause).toMatchObject({ message: 'sent [secret] away', code: 'E_HUNTER' });
  expect(`${shown.stack}${(shown.cause as Error).stack}`).not.toContain('hunter2');
});

it('survives what holds itself', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  concealing(['hunter2']).log(log).info(circle, 'x');
  expect(said.splice(0)).toHaveLength(2);
});

it('costs nothing where there is no secret, and takes no word for one that is in every other', () => {
  expect(concealing([]).log(log)).toBe(log);
  expect(concealing(['abc', 12, null, true, '']).log(log)).toBe(log);
});
