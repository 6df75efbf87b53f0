import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AppError, backoffMs, closestName, defineErrors, defineJob } from './index.ts';

describe('the example at the top of the kernel', () => {
  it('holds', () => {
    const welcome = defineJob({
      name: 'accounts.send-welcome',
      payload: z.strictObject({ userId: z.uuid() }),
      attempts: 5,
    });
    expect(welcome.queue).toBe('default');
    expect(welcome).toMatchObject({ version: 1, attempts: 5, timeoutMs: 60_000 });
  });
});

describe('backoffMs', () => {
  it('doubles from the first wait up to the longest, and spreads by a fifth', () => {
    const backoff = { firstMs: 1_000, maxMs: 6_000 };
    expect([1, 2, 3, 4, 50].map((attempt) => backoffMs(backoff, attempt, 0.5))).toEqual([
      1_000, 2_000, 4_000, 6_000, 6_000,
    ]);
    expect(backoffMs(backoff, 1, 0)).toBe(800);
    expect(backoffMs(backoff, 1, 0.999)).toBeLessThanOrEqual(1_200);
  });
});

describe('defineErrors', () => {
  const errors = defineErrors('shop', { sold_out: { status: 409, public: 'This is sold out.' } });

  it('keeps the two voices apart', () => {
    const error = errors.sold_out({ internal: 'stock of 17 is 0' });
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'shop.sold_out', status: 409, public: 'This is sold out.', retryable: false });
    expect(error.message).toBe('stock of 17 is 0');
  });

  it('takes a server’s fault for worth a repeat, unless told otherwise', () => {
    expect(new AppError('shop.down', { status: 503, public: 'Later.' }).retryable).toBe(true);
    expect(new AppError('shop.broken', { public: 'No.', retryable: false }).retryable).toBe(false);
  });
});

describe('closestName', () => {
  it.each([
    ['biling', 'billing'],
    ['teh', 'the'],
    ['BILLING', 'billing'],
    ['zzz', null],
    ['', null],
  ])('for %j suggests %j', (typed, expected) => {
    expect(closestName(typed, ['billing', 'teams', 'the'])).toBe(expected);
  });
});
