import type { RateLimiter, RateRule } from '@ballast/cache/rate-limit';
import { AppError } from '@ballast/kernel';

/** Counts one use of `key` under `rule`. Over the limit it throws 429 with the seconds to wait. */
export async function limitUse(limiter: RateLimiter, rule: RateRule, key: string): Promise<void> {
  const { allowed, resetSeconds } = await limiter.consume(rule, key);
  if (allowed) return;
  throw new AppError('request.rate_limited', {
    status: 429,
    public: 'Too many attempts. Wait a little and try again.',
    internal: `over ${rule.limit} in ${rule.windowSeconds} s of ${rule.name}`,
    retryAfterSeconds: resetSeconds,
  });
}
