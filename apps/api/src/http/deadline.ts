import type { Env } from '@ballast/http';
import { AppError } from '@ballast/kernel';
import type { MiddlewareHandler } from 'hono';

/**
 * Answers 504 when the route has not answered in time, whatever it waits for, and
 * aborts `c.var.signal`, so that whoever heeds it stops working for nobody.
 */
export function deadline(timeoutMs: number): MiddlewareHandler<Env> {
  return async (c, next) => {
    const late = new AbortController();
    c.set('signal', AbortSignal.any([late.signal, c.req.raw.signal]));
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, 'late');
    });
    const answered = await Promise.race([next(), timeout]).finally(() => clearTimeout(timer));
    if (answered !== 'late') return;
    const error = new AppError('request.timeout', {
      status: 504,
      public: 'This took too long and was given up. It may still have been done: look before you repeat it.',
      internal: `no answer within ${timeoutMs} ms`,
    });
    late.abort(error);
    throw error;
  };
}
