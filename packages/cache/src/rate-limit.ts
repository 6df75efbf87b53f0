import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

/**
 * Counts uses in fixed windows. In memory by default; on Redis when there is one,
 * and then in this process for as long as Redis is away: a fallback counts per
 * process, so it degrades, but it never lets everything through.
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
  /** Uses under one name share a count; rules of different limits need different names. */
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

export interface RateLimiterOptions {
  redisUrl: string | null;
  /** Told when Redis goes away or comes back, not for each failed command. */
  onStateChange?: (state: 'connected' | 'lost', error: Error | null) => void;
}

/** Waiting longer for a count than this would make the cache's outage the caller's. */
const commandTimeoutMs = 250;

/** Opens the counter. Redis need not be there yet. */
export function openRateLimiter(options: RateLimiterOptions): RateLimiter {
  const redis = options.redisUrl === null ? null : connect(options.redisUrl, options.onStateChange);
  const limiters = new Map<string, RateLimiterMemory | RateLimiterRedis>();
  return {
    async consume(rule, key) {
      const limiter = limiters.get(idOf(rule)) ?? make(rule, redis);
      limiters.set(idOf(rule), limiter);
      // A refusal is what the library rejects with; its count is not always told (blocked here, it says 0).
      const refusal = (cause: unknown) => {
        if (cause instanceof RateLimiterRes) return { allowed: false, counted: cause };
        throw cause;
      };
      const { allowed, counted } = await limiter.consume(key).then((counted) => ({ allowed: true, counted }), refusal);
      return {
        allowed,
        remaining: allowed ? Math.max(0, rule.limit - counted.consumedPoints) : 0,
        resetSeconds: Math.max(1, Math.ceil(counted.msBeforeNext / 1000)),
      };
    },
    connected: () => redis && redis.status === 'ready',
    async close() {
      redis?.disconnect();
    },
  };
}

function make(rule: RateRule, redis: Redis | null): RateLimiterMemory | RateLimiterRedis {
  const memory = new RateLimiterMemory({ keyPrefix: idOf(rule), points: rule.limit, duration: rule.windowSeconds });
  if (!redis) return memory;
  return new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `ballast:limit:${idOf(rule)}`,
    points: rule.limit,
    duration: rule.windowSeconds,
    // A caller over the limit is refused here until the window ends, without a round trip.
    inMemoryBlockOnConsumed: rule.limit + 1,
    rejectIfRedisNotReady: true,
    insuranceLimiter: memory,
  });
}

/** Window and limit are part of the name, so that a changed rule does not inherit old counts. */
function idOf(rule: RateRule): string {
  return `${rule.name}:${rule.limit}:${rule.windowSeconds}`;
}

function connect(url: string, onStateChange: RateLimiterOptions['onStateChange']): Redis {
  const redis = new Redis(url, {
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 2_000,
    retryStrategy: () => 1_000,
  });
  let lost = false;
  redis.on('error', (error: Error) => {
    if (lost) return;
    lost = true;
    onStateChange?.('lost', error);
  });
  redis.on('ready', () => {
    lost = false;
    onStateChange?.('connected', null);
  });
  return redis;
}
