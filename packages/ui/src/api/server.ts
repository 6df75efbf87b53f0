import 'server-only';
import type { Hono } from 'hono';
import { hc } from 'hono/client';
import { headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { apiOrigin } from './origin.ts';
import { isSignedOut, type Result } from './problem.ts';

const TIMEOUT_MS = 8_000;
/** What the API needs in order to answer as if the browser had asked it. */
const FORWARDED = ['cookie', 'user-agent', 'x-forwarded-for', 'x-request-id', 'accept-language'];

/**
 * A module's typed client for server components; it speaks for the person whose page is being made.
 *
 * @example
 * const support = await serverApi<Routes>('/api/support');
 */
// biome-ignore lint/suspicious/noExplicitAny: the bound of hono's own `hc`; a narrower one loses the routes.
export async function serverApi<Routes extends Hono<any, any, any>>(path: string) {
  const incoming = await headers();
  // A cookie that the API renewed now would never reach the browser; the browser asks for it itself.
  const forwarded: Record<string, string> = { 'ballast-do-not-extend': '1' };
  for (const name of FORWARDED) {
    const value = incoming.get(name);
    if (value) forwarded[name] = value;
  }
  return hc<Routes>(apiOrigin() + path, {
    headers: forwarded,
    fetch: (input: RequestInfo | URL, init?: RequestInit) =>
      fetch(input, { ...init, cache: 'no-store', redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) }),
  });
}

/** Passes a result on, and sends a person whose session is over to sign in and come back. */
export async function signedIn<Data>(result: Result<Data>): Promise<Result<Data>> {
  if (!result.ok && isSignedOut(result.problem)) {
    const here = (await headers()).get('x-ballast-path') ?? '/dashboard';
    redirect(`/sign-in?next=${encodeURIComponent(here)}`);
  }
  return result;
}
