import type { Hono } from 'hono';
import { hc } from 'hono/client';

const TIMEOUT_MS = 20_000;

/**
 * A module's typed client for the browser, on the page's own origin.
 *
 * @example
 * const accounts = browserApi<Routes>('/api/accounts');
 */
// biome-ignore lint/suspicious/noExplicitAny: the bound of hono's own `hc`; a narrower one loses the routes.
export function browserApi<Routes extends Hono<any, any, any>>(path: string) {
  return hc<Routes>(path, {
    fetch: (input: RequestInfo | URL, init?: RequestInit) =>
      fetch(input, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS), credentials: 'same-origin' }),
  });
}
