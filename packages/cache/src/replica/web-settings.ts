import { readValue } from '@ballast/settings/read-value';

/** What the web server itself needs to know. */
export interface WebSettings {
  /** Proxies of ours between the browsers and this process. */
  trustedProxyHops: number;
  shutdownGraceMs: number;
  shutdownDelayMs: number;
}

/** What pages read from the environment while they render. */
const readByPages = ['PUBLIC_URL', 'API_INTERNAL_URL'];

/**
 * Reads the web's settings where the API's are read, so that each can be a file too. What pages look up in the
 * environment is put there. All problems at once.
 */
export function readWebSettings(): WebSettings {
  const problems: string[] = [];
  const attempt = <Value>(read: () => Value): Value | null => {
    try {
      return read();
    } catch (error) {
      problems.push((error as Error).message);
      return null;
    }
  };
  for (const name of readByPages) {
    const value = attempt(() => given(name));
    if (value !== null) process.env[name] = value;
  }
  const number = (name: string, fallback: number, max: number) => attempt(() => wholeNumber(name, fallback, max)) ?? 0;
  const settings = {
    trustedProxyHops: number('TRUSTED_PROXY_HOPS', 0, 10),
    shutdownGraceMs: number('SHUTDOWN_GRACE_MS', 10_000, 3_600_000),
    shutdownDelayMs: number('SHUTDOWN_DELAY_MS', 0, 3_600_000),
  };
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return settings;
}

/** As the API's settings are read; null when it is set nowhere. */
export function given(name: string): string | null {
  const found = readValue(name, { env: process.env, secretsDirectory: '/run/secrets' });
  if (found && 'problem' in found) throw new Error(`${found.origin} ${found.problem}.`);
  return found?.value ?? null;
}

/** With the API's bounds: both are told the same. */
function wholeNumber(name: string, fallback: number, max: number): number {
  const text = given(name);
  const value = text === null ? fallback : Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new Error(`${name} must be a whole number from 0 to ${max}.`);
}
