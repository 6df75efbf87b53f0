import type { Problem } from './problem.ts';

/** The part of a next-intl translator over the whole catalogue that is needed here. */
export interface Translate {
  (key: string, values?: Record<string, string | number>): string;
  has(key: string): boolean;
}

/**
 * The sentence for a problem: `accounts.link_used` is `accounts.problems.link_used` in the catalogue,
 * so that each module brings the words for its own codes. Unknown codes keep the API's own sentence.
 */
export function problemMessage(t: Translate, problem: Problem): string {
  const key = problem.code.replace('.', '.problems.');
  const minutes = Math.max(1, Math.ceil((problem.retryAfterSeconds ?? 60) / 60));
  if (t.has(key)) return t(key, { minutes });
  return problem.detail ?? t('service.problems.unexpected');
}
