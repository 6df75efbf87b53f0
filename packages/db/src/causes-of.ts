/** An error, and what another library's has besides, such as the SQLSTATE that postgres.js keeps under `code`. */
export type Cause = Error & { readonly code?: unknown; readonly constraint_name?: unknown };

/** No chain of ours is longer than three: Better Auth wraps what Drizzle wraps what postgres.js throws. */
const maxDepth = 5;

/**
 * The error and its causes, the outermost first: Drizzle wraps what postgres.js throws.
 * Bounded, since a chain may lead back to its own beginning.
 *
 * @example
 * const isDuplicate = causesOf(error).some(({ code }) => code === '23505');
 */
export function causesOf(error: unknown): readonly Cause[] {
  const causes: Cause[] = [];
  for (let cause = error; cause instanceof Error && causes.length < maxDepth; cause = cause.cause) causes.push(cause);
  return causes;
}
