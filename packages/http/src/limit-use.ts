import type { RateLimiter, RateResult, RateRule } from '@ballast/cache/rate-limit';
import { AppError } from '@ballast/kernel';

/** Where a caller stands with a rule after one more use. */
export interface Standing extends RateResult {
  rule: RateRule;
}

/** Counts one use under `rule`. Over the limit it throws 429 with the seconds to wait. */
export async function limitUse(limiter: RateLimiter, rule: RateRule, key: string): Promise<void> {
  refuseOver([{ rule, ...(await limiter.consume(rule, key)) }]);
}

/** Throws 429 when one of the rules is used up; the longest wait is the one that helps. */
export function refuseOver(standings: readonly Standing[]): void {
  const over = standings.filter(({ allowed }) => !allowed);
  const longest = over.reduce<Standing | null>((a, b) => (a && a.resetSeconds >= b.resetSeconds ? a : b), null);
  if (!longest) return;
  const { rule, resetSeconds } = longest;
  throw new AppError('request.rate_limited', {
    status: 429,
    public: 'Too many attempts. Wait a little and try again.',
    internal: `over ${rule.limit} in ${rule.windowSeconds} s of ${rule.name}`,
    retryAfterSeconds: resetSeconds,
  });
}
