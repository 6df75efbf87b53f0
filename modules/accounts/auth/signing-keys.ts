import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The key that signs cookies and links, and the one that it replaced. Better Auth signs
 * cookies with one key only; what the former one signed is signed again on the way in,
 * so that nobody is signed out by a rotation. A later visit brings a cookie of the new key.
 */
export interface SigningKeys {
  secret: string;
  /** Accepted, and never used to sign. */
  previousSecret?: string | undefined;
}

/** The request's headers with every cookie that the previous key signed under the current one's signature. */
export function signedAgain(headers: Headers, keys: SigningKeys): Headers {
  const cookies = headers.get('cookie');
  const { previousSecret } = keys;
  if (previousSecret === undefined || !cookies?.includes('.')) return headers;
  const renewed = cookies
    .split(';')
    .map((pair) => {
      const at = pair.indexOf('=');
      const value = at < 0 ? null : signedValue(pair.slice(at + 1), previousSecret);
      return value === null
        ? pair
        : `${pair.slice(0, at)}=${encodeURIComponent(`${value}.${sign(value, keys.secret)}`)}`;
    })
    .join(';');
  if (renewed === cookies) return headers;
  const seen = new Headers(headers);
  seen.set('cookie', renewed);
  return seen;
}

/** What a cookie says, when this key signed it; null otherwise. */
export function signedValue(cookie: string, secret: string): string | null {
  const text = decoded(cookie.trim());
  const dot = text.lastIndexOf('.');
  if (dot < 1) return null;
  const [value, signature] = [text.slice(0, dot), Buffer.from(text.slice(dot + 1))];
  const right = Buffer.from(sign(value, secret));
  return signature.length === right.length && timingSafeEqual(signature, right) ? value : null;
}

/** As Better Auth does. */
const sign = (value: string, secret: string) => createHmac('sha256', secret).update(value).digest('base64');

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
