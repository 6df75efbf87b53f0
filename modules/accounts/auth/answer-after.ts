import { setTimeout } from 'node:timers/promises';

/**
 * Answers no sooner than `ms`, whatever `work` finds: how long an answer takes must
 * not tell whether an address has an account.
 */
export async function answerAfter<Result>(ms: number, work: () => Promise<Result>): Promise<Result> {
  const [outcome] = await Promise.allSettled([work(), setTimeout(ms)]);
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}
