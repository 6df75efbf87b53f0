/**
 * One answer for all who ask at about the same time: while a question is under way nobody asks it again, and its
 * answer counts for `freshMs` from when it came. Counted from when it was asked, a question that takes longer than
 * that would be put a second time beside the first, over the connection that the first gives up when it fails.
 *
 * @example
 * const read = freshAnswer(() => askPostgres(), 500);
 * const [one, same] = await Promise.all([read(), read()]);
 */
export function freshAnswer<Answer>(ask: () => Promise<Answer>, freshMs: number): () => Promise<Answer> {
  let latest: { at: number; answer: Promise<Answer> } | null = null;
  return () => {
    if (!latest || performance.now() - latest.at > freshMs) {
      const asked = { at: Number.POSITIVE_INFINITY, answer: ask() };
      latest = asked;
      const came = () => {
        asked.at = performance.now();
      };
      asked.answer.then(came, came);
    }
    return latest.answer;
  };
}
