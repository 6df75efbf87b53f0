import { type Log, secretShown } from '@ballast/kernel';

/** Takes the values of one job's secret fields out of what is said about its run. */
export interface Conceal {
  text(said: string): string;
  log(log: Log): Log;
}

/** For the many jobs without a secret: nothing is looked at. */
const nothing: Conceal = { text: (said) => said, log: (log) => log };

/** Shorter ones are in every other word, and are nobody's secret. */
const minLength = 4;
const maxDepth = 6;

/**
 * Handlers do not print secrets on purpose: it is the errors of those they call that
 * repeat an address with a token in it.
 */
export function concealing(values: readonly unknown[]): Conceal {
  const words = values
    .flatMap(wordsIn)
    .flatMap((word) => [word, encodeURIComponent(word.toWellFormed()), JSON.stringify(word).slice(1, -1)])
    // The longest first: one may be the beginning of another.
    .sort((left, right) => right.length - left.length);
  if (words.length === 0) return nothing;
  const text = (said: string) => words.reduce((left, word) => left.replaceAll(word, secretShown), said);

  const deep = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return text(value);
    if (typeof value === 'number' || typeof value === 'bigint')
      return words.includes(String(value)) ? secretShown : value;
    if (typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value)) return value;
    if (depth >= maxDepth) return '[deeper]';
    if (value instanceof Error) return quiet(value, depth);
    if (Array.isArray(value)) return value.map((entry) => deep(entry, depth + 1));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [text(name), deep(inner, depth + 1)]));
  };
  const quiet = (error: Error & { code?: unknown }, depth: number): Error => {
    const cause = error.cause === undefined ? {} : { cause: deep(error.cause, depth + 1) };
    const copy = Object.assign(new Error(text(error.message), cause), { name: error.name });
    if (error.stack !== undefined) copy.stack = text(error.stack);
    return error.code === undefined ? copy : Object.assign(copy, { code: error.code });
  };
  const line = (to: Log[keyof Log]) => (fields: Record<string, unknown>, message: string) =>
    to(deep(fields, 0) as Record<string, unknown>, text(message));
  return {
    text,
    log: (log) => ({ debug: line(log.debug), info: line(log.info), warn: line(log.warn), error: line(log.error) }),
  };
}

function wordsIn(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(wordsIn);
  if (typeof value !== 'string' && typeof value !== 'number') return [];
  const word = String(value);
  return word.length >= minLength ? [word] : [];
}
