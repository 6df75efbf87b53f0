import { createHash } from 'node:crypto';
import type { AppDefinition } from './define-module.ts';

/** A module that is on, with its options as `app.config.ts` has them. */
export interface ActiveModule {
  name: string;
  options: Record<string, unknown>;
}

/**
 * The modules that are on, by name. A door of its own (`@ballast/kernel/active-set`):
 * the generator and the API's boot check use it, browsers do not.
 */
export function activeModules(app: AppDefinition): ActiveModule[] {
  return Object.entries(app.modules)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => ({ name, options: typeof value === 'object' ? value : {} }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/**
 * One value for "which modules are on, with which options". Two definitions that
 * mean the same have the same hash: order does not count, off equals absent, and
 * `true` equals `{}`.
 */
export function activeSetHash(app: AppDefinition): string {
  const set = activeModules(app).map(({ name, options }) => [name, options]);
  return createHash('sha256')
    .update(JSON.stringify(sorted(set)))
    .digest('hex')
    .slice(0, 16);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
