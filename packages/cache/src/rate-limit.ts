import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { type CacheLink, type CacheLinkOptions, openCacheLink } from './cache-link.ts';

/**
 * Counts uses in fixed windows. In memory by default; on Redis when there is one,
 * and then in this process for as long as Redis is away: a fallback counts per
 * process, so it degrades, but it never lets everything through.
 *
 * Uses that are counted in one tick reach Redis in one round trip.
 *
 * @example
 * const limiter = openRateLimiter({ redisUrl: null });
 * const { allowed, resetSeconds } = await limiter.consume({ name: 'sign-in', limit: 5, windowSeconds: 60 }, 'address:1.2.3.4');
 */
export interface RateLimiter {
  consume(rule: RateRule, key: string): Promise<RateResult>;
  /** Whether Redis counts at this moment; null without one. */
  connected(): boolean | null;
  close(): Promise<void>;
}

export interface RateRule {
  /** Uses under one name, limit and window share a count. */
  name: string;
  limit: number;
  windowSeconds: number;
}

export interface RateResult {
  allowed: boolean;
  remaining: number;
  /** Until the window ends, at least 1. */
  resetSeconds: number;
}

export interface RateLimiterOptions extends CacheLinkOptions {
  redisUrl: string | null;
}

interface Counters {
  memory: RateLimiterMemory;
  shared: RateLimiterRedis | null;
}

/** Opens the counter. Redis need not be there yet. */
export function openRateLimiter({ redisUrl, ...options }: RateLimiterOptions): RateLimiter {
  const link = redisUrl === null ? null : openCacheLink(redisUrl, options);
  const rules = new Map<string, Counters>();
  return {
    async consume(rule, key) {
      const counters = rules.get(idOf(rule)) ?? countersOf(rule, link);
      rules.set(idOf(rule), counters);
      const { memory, shared } = counters;
      const local = () => count(memory, key);
      const { allowed, counted } = link && shared ? await link.ask(() => count(shared, key), local) : await local();
      return {
        allowed,
        remaining: allowed ? Math.max(0, rule.limit - counted.consumedPoints) : 0,
        resetSeconds: Math.max(1, Math.ceil(counted.msBeforeNext / 1000)),
      };
    },
    connected: () => link && link.redis.status === 'ready',
    async close() {
      link?.close();
    },
  };
}

/** A refusal is what the library rejects with; its count is not always told (blocked here, it says 0). */
async function count(limiter: RateLimiterMemory | RateLimiterRedis, key: string) {
  try {
    return { allowed: true, counted: await limiter.consume(key) };
  } catch (cause) {
    if (cause instanceof RateLimiterRes) return { allowed: false, counted: cause };
    throw cause;
  }
}

function countersOf(rule: RateRule, link: CacheLink | null): Counters {
  const size = { points: rule.limit, duration: rule.windowSeconds };
  const memory = new RateLimiterMemory({ keyPrefix: idOf(rule), ...size });
  if (!link) return { memory, shared: null };
  const shared = new RateLimiterRedis({
    storeClient: link.redis,
    keyPrefix: `ballast:limit:${idOf(rule)}`,
    ...size,
    // A caller over the limit is refused here until the window ends, without a round trip.
    inMemoryBlockOnConsumed: rule.limit + 1,
    rejectIfRedisNotReady: true,
  });
  return { memory, shared };
}

/** Window and limit are part of the name, so that a changed rule does not inherit old counts. */
function idOf(rule: RateRule): string {
  return `${rule.name}:${rule.limit}:${rule.windowSeconds}`;
}
