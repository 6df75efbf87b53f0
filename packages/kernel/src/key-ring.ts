/**
 * Keys that seal what must not be readable where it is kept. The first key seals,
 * and every key opens what it sealed, so that keys are replaced without an outage.
 * A door of its own (`@ballast/kernel/key-ring`): browsers have no use for it.
 *
 * @example
 * const ring = parseKeyRing('2027-01:4f0c…,2026-03:9b1e…');
 * const kept = ring.seal('the token', 'job/01975f6e/token');
 * ring.open(kept, 'job/01975f6e/token'); // 'the token'
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { AppError } from './app-error.ts';

export interface KeyRing {
  /** `place` says what the value is and where it is kept: it opens there and nowhere else. */
  seal(plain: string, place: string): string;
  /** Throws `secrets.unknown_key`, worth a repeat, or `secrets.refused`, which is not. */
  open(sealed: string, place: string): string;
}

const cipher = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;
const form = /^sealed:v1:([a-zA-Z0-9._-]{1,32}):([A-Za-z0-9_-]+)$/;

/** Reads `id:key,id:key`, each key 32 random bytes in base64 or base64url. Throws a sentence without any key in it. */
export function parseKeyRing(text: string): KeyRing {
  const keys = new Map<string, Buffer>();
  for (const entry of text.split(',')) {
    const [, id, encoded] = /^\s*([a-zA-Z0-9._-]{1,32}):([A-Za-z0-9+/_-]{43}=?)\s*$/.exec(entry) ?? [];
    if (id === undefined || encoded === undefined)
      throw new Error('must be id:key pairs, separated by commas; each key is 32 bytes in base64');
    if (keys.has(id)) throw new Error(`must not have two keys of the name ${id}`);
    keys.set(id, Buffer.from(encoded, 'base64'));
  }
  const [[sealingId, sealingKey]] = [...keys] as [[string, Buffer]];

  return {
    seal(plain, place) {
      const iv = randomBytes(ivBytes);
      const box = createCipheriv(cipher, keyOf(sealingKey, place), iv).setAAD(Buffer.from(place));
      const body = Buffer.concat([iv, box.update(plain, 'utf8'), box.final(), box.getAuthTag()]);
      return `sealed:v1:${sealingId}:${body.toString('base64url')}`;
    },
    open(sealed, place) {
      const [, id = '', encoded = ''] = form.exec(sealed) ?? [];
      const body = Buffer.from(encoded, 'base64url');
      if (body.length < ivBytes + tagBytes) throw refused(place);
      const key = keys.get(id);
      if (!key) throw unknownKey(id, place);
      try {
        const box = createDecipheriv(cipher, keyOf(key, place), body.subarray(0, ivBytes))
          .setAAD(Buffer.from(place))
          .setAuthTag(body.subarray(-tagBytes));
        return box.update(body.subarray(ivBytes, -tagBytes), undefined, 'utf8') + box.final('utf8');
      } catch {
        throw refused(place);
      }
    },
  };
}

/**
 * A key for each place: under one key for all of them, random nonces would begin to
 * repeat after some billions of values, and a repeated nonce undoes GCM.
 */
const keyOf = (key: Buffer, place: string) => createHmac('sha256', key).update(place).digest();

const ours = { public: 'Something went wrong on our side.' };

function unknownKey(id: string, place: string): AppError {
  return new AppError('secrets.unknown_key', {
    ...ours,
    internal: `${place} is sealed with the key ${id}, which ENCRYPTION_KEYS of this process does not have.`,
    retryable: true,
  });
}

function refused(place: string): AppError {
  return new AppError('secrets.refused', {
    ...ours,
    internal: `${place} does not open: it was altered, or sealed for another place, or with another key of the same name.`,
    retryable: false,
  });
}
