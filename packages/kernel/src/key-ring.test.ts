import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AppError } from './app-error.ts';
import { parseKeyRing } from './key-ring.ts';

const key = () => randomBytes(32).toString('base64url');
const first = `2026-03:${key()}`;
const second = `2027-01:${randomBytes(32).toString('base64')}`;
const place = 'job/01975f6e-7a2b-7c3d-8e4f-5a6b7c8d9e0f/token';

const failureOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    const { code, retryable, internal } = error as AppError;
    return { code, retryable, internal };
  }
  throw new Error('It did not fail.');
};

describe('a key ring', () => {
  it('opens what it sealed, and shows nothing of it', () => {
    const ring = parseKeyRing(first);
    for (const plain of ['hunter2', '', 'ü — 漢字 🔑', 'x'.repeat(100_000)]) {
      const sealed = ring.seal(plain, place);
      expect(sealed).toMatch(/^sealed:v1:2026-03:[\w-]+$/);
      if (plain) expect(sealed).not.toContain(plain);
      expect(ring.open(sealed, place)).toBe(plain);
    }
    expect(ring.seal('hunter2', place)).not.toBe(ring.seal('hunter2', place));
  });

  it('seals with its first key and opens with each', () => {
    const old = parseKeyRing(first).seal('hunter2', place);
    const rotated = parseKeyRing(`${second}, ${first}`);
    expect(rotated.open(old, place)).toBe('hunter2');
    expect(rotated.seal('hunter2', place)).toMatch(/^sealed:v1:2027-01:/);
  });

  it('names a key that it does not have; another process may', () => {
    const sealed = parseKeyRing(second).seal('hunter2', place);
    const failure = failureOf(() => parseKeyRing(first).open(sealed, place));
    expect(failure).toMatchObject({ code: 'secrets.unknown_key', retryable: true });
    expect(failure.internal).toContain('the key 2027-01');
  });

  it('refuses what was moved to another place, altered, or never sealed', () => {
    const ring = parseKeyRing(first);
    const sealed = ring.seal('hunter2', place);
    const altered = sealed.slice(0, -2) + (sealed.endsWith('AA') ? 'BB' : 'AA');
    const sameName = parseKeyRing(`2026-03:${key()}`);
    for (const open of [
      () => ring.open(sealed, place.replace('token', 'other')),
      () => ring.open(sealed, place.replace('0f/', '1f/')),
      () => ring.open(altered, place),
      () => ring.open(sealed.slice(0, 40), place),
      () => ring.open('hunter2', place),
      () => ring.open('sealed:v1:2026-03:', place),
      () => sameName.open(sealed, place),
    ]) {
      expect(failureOf(open)).toMatchObject({ code: 'secrets.refused', retryable: false });
    }
  });

  it.each([
    ['nothing', ''],
    ['a key without a name', key()],
    ['a key that is too short', `a:${randomBytes(16).toString('base64')}`],
    ['a key that is too long', `a:${randomBytes(48).toString('base64')}`],
    ['a name with spaces', `a b:${key()}`],
    ['one good and one bad', `${first},b:hunter2`],
    ['two of one name', `${first},${first}`],
  ])('is not made of %s, and the reason shows no key', (_case, text) => {
    const message = (() => {
      try {
        parseKeyRing(text);
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(message).toMatch(/must be id:key pairs|two keys of the name/);
    for (const part of text.split(/[:,]/).filter((piece) => piece.length > 7))
      expect(message).not.toContain(part === '2026-03' ? '\0' : part);
  });
});
