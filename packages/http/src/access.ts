import type { RateRule } from '@ballast/cache/rate-limit';

/**
 * Who may come in. A permission (`module:verb`) needs a session, and a role in the
 * request's organisation that has the permission.
 */
export type Access = 'public' | 'session' | { permission: string };

/** How often. One rule counts each of `by` on its own; over any of them the answer is 429 with Retry-After. */
export interface RateLimit extends RateRule {
  by: readonly ('address' | 'account' | 'key')[];
  /** Where the JSON body names the account on a route without a session: `email` for sign-in. */
  accountField?: string;
}

/** What `endpoint()` tells the snapshot of routes and the tests. */
export interface EndpointMeta {
  access: Access;
  rateLimit: readonly RateLimit[];
}
