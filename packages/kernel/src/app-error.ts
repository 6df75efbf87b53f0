/**
 * An error with two voices: `code` and `public` are for the caller, `internal`
 * and `cause` are for the log and never leave the process.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  /** Stable and dotted, such as `accounts.link_expired`. Callers branch on it. */
  readonly code: string;
  /** The HTTP status that the API's edge answers with. */
  readonly status: number;
  /** One sentence for the caller: what happened and what to do. */
  readonly public: string;
  /** What the operator should know. */
  readonly internal: string | undefined;
  /** Seconds until a repeat can succeed; becomes `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  /** False when a repeat of a job cannot help: the job is dead at once. */
  readonly retryable: boolean;
  /** Which fields of the input are wrong, by path. Never their values. */
  readonly fields: readonly FieldProblem[] | undefined;

  constructor(code: string, options: AppErrorOptions) {
    super(options.internal ?? options.public, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 500;
    this.public = options.public;
    this.internal = options.internal;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.retryable = options.retryable ?? this.status >= 500;
    this.fields = options.fields;
  }
}

export interface AppErrorOptions {
  public: string;
  status?: number;
  internal?: string;
  cause?: unknown;
  retryAfterSeconds?: number;
  retryable?: boolean;
  fields?: readonly FieldProblem[];
}

export interface FieldProblem {
  /** Where in the input, such as `address.city`. */
  path: string;
  /** What is wrong with it, without repeating the value. */
  message: string;
}

/**
 * A module's table of errors. Each entry becomes a function that makes the error,
 * so that the code and the public sentence are written once.
 *
 * @example
 * export const errors = defineErrors('accounts', {
 *   link_expired: { status: 410, public: 'This link has expired. Ask for a new one.' },
 * });
 * throw errors.link_expired({ internal: 'issued 25 h ago' });
 */
export function defineErrors<
  const Table extends Record<string, { status: number; public: string; retryable?: boolean }>,
>(
  module: string,
  table: Table,
): { [Name in keyof Table]: (more?: Omit<AppErrorOptions, 'public' | 'status'>) => AppError } {
  const made = Object.entries(table).map(([name, entry]) => [
    name,
    (more?: Omit<AppErrorOptions, 'public' | 'status'>) => new AppError(`${module}.${name}`, { ...entry, ...more }),
  ]);
  return Object.fromEntries(made);
}
