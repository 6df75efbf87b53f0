import type { RateLimiter, RateRule } from '@ballast/cache/rate-limit';
import type { Tx } from '@ballast/db';
import type { ActionContext, ConfigValues, Log, ModuleConfig } from '@ballast/kernel';
import type { Mail } from '@ballast/mail';
import type { Standing } from './limit-use.ts';

/** The person behind a session. */
export interface Identity {
  userId: string;
  sessionId: string;
  sessionEndsAt: Date;
  name: string;
  email: string;
}

/** A person's place in an organisation. */
export interface Membership {
  organizationId: string;
  role: string;
}

/** Who asks, and where. */
export interface Caller {
  identity: Identity;
  /** In the organisation that they named, or in their personal one; null when they have no place there. */
  membership: Membership | null;
}

/** What the process opened for modules; requests and jobs are handed the same. */
export interface Services {
  mail: Mail;
  /** What the accounts module opened; only that module knows its type. */
  auth: unknown;
  /** The origin that browsers use, without a slash at the end. */
  publicUrl: string;
  limiter: RateLimiter;
  /** A module's settings and options, as its `defineConfig` describes them. */
  settings<Config extends ModuleConfig>(config: Config): ConfigValues<Config>;
}

/** What an action may do in a request. `transaction` sees the tenant's rows and the person's own, no others. */
export interface RequestContext extends ActionContext<Tx> {
  readonly requestId: string;
  /** Null on a public route, also when the caller sent a session. */
  readonly identity: Identity | null;
  /** The caller's role in `tenantId`. */
  readonly role: string | null;
  /** The client's address, by the configured number of trusted hops. */
  readonly address: string;
  readonly services: Services;
  /** Aborts when the request's deadline passes or the caller goes away. */
  readonly signal: AbortSignal;
  settings<Config extends ModuleConfig>(config: Config): ConfigValues<Config>;
  /** Counts one use of `key` under `rule`; over the limit it throws 429 `request.rate_limited`. */
  limit(rule: RateRule, key: string): Promise<void>;
}

/** What the process's HTTP edge lends to `endpoint()`. Modules do not use it. */
export interface Edge {
  /** Whose session the cookies carry, and their place in this organisation, or in their personal one; null for a stranger. */
  identify(headers: Headers, organizationId: string | null): Promise<Caller | null>;
  limiter: RateLimiter;
  open(caller: {
    requestId: string;
    address: string;
    signal: AbortSignal;
    log: Log;
    identity: Identity | null;
    membership: Membership | null;
  }): RequestContext;
}

/** The Hono environment of every route. */
export interface Env {
  Variables: {
    requestId: string;
    /** Set by `endpoint()`. */
    ctx: RequestContext;
    address: string;
    signal: AbortSignal;
    log: Log;
    edge: Edge;
    /** Where the caller stands with the route's limits, as far as they may know. */
    standings?: readonly Standing[];
  };
}
