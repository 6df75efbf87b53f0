import { isSentinelUrl, redisAddress, sentinelForm } from '@ballast/jobs/redis-address';
import { parseKeyRing } from '@ballast/kernel/key-ring';
import { z } from 'zod';

// The forms that settings have. What a refusal says stands behind the setting's name.

export const port = z.coerce.number('must be a number').int('must be a whole number').min(0).max(65_535);
export const milliseconds = z.coerce.number('must be a number').int('must be a whole number').min(0).max(3_600_000);
export const hours = z.coerce.number('must be a number').positive('must be more than 0').max(100_000);
export const origin = z
  .url({ protocol: /^https?$/, message: 'must be an address such as https://app.acme.com' })
  .refine((url) => !URL.canParse(url) || new URL(url).pathname === '/', 'must be an origin, without a path')
  // Links are made by appending a path: behind a query it would be part of the query.
  .refine((url) => !/[?#@]/.test(url), 'must be an origin, without a query, a # or a login')
  .transform((url) => url.replace(/\/+$/, ''));
export const postgresUrl = z.url({
  protocol: /^postgres(ql)?$/,
  message: 'must be postgres://user:password@host/database',
});
/** Where a pooler listens: whoever logs in there does it as in DATABASE_URL. */
export const poolerUrl = z
  .url({ protocol: /^postgres(ql)?$/, message: 'must be postgres://host:port' })
  .refine((url) => !URL.canParse(url) || new URL(url).username === '', 'must have no login: DATABASE_URL has it');
export const redisUrl = z.url({ protocol: /^rediss?$/, message: 'must be redis://host:port' });
/** One server, or a primary that sentinels know by a name. */
export const queueRedisUrl = z.string().transform((text, problem) => {
  if (!isSentinelUrl(text)) {
    const plain = redisUrl.safeParse(text);
    if (plain.success) return plain.data;
    problem.addIssue(`must be redis://host:port or ${sentinelForm}`);
    return z.NEVER;
  }
  try {
    redisAddress(text);
    return text;
  } catch (error) {
    problem.addIssue((error as Error).message);
    return z.NEVER;
  }
});
export const yesOrNo = z.stringbool({ error: 'must be true or false' });

/** `name=value,name=value`, with values percent-encoded where they must be: the form that OpenTelemetry defines. */
export const namedValues = z.string().transform((text, problem) => {
  try {
    return Object.fromEntries(text.split(',').map(namedValue));
  } catch {
    problem.addIssue('must be pairs such as name=value, separated by commas');
    return z.NEVER;
  }
});

function namedValue(pair: string): [string, string] {
  const [, name, value = ''] = /^\s*([^\s=]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
  if (name === undefined) throw new Error('not a pair');
  return [name, decodeURIComponent(value)];
}

/** The keys themselves, ready to use: nothing else in the process sees their text. */
export const keyRing = z.string().transform((text, problem) => {
  try {
    return parseKeyRing(text);
  } catch (error) {
    problem.addIssue((error as Error).message);
    return z.NEVER;
  }
});
