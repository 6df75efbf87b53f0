import { causesOf } from '@ballast/db';
import { AppError } from '@ballast/kernel';
import { isAPIError } from 'better-auth/api';
import { errors } from '../errors.ts';

/** Awaits a call of Better Auth and turns its refusals into ours. */
export async function known<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (cause) {
    throw translated(cause);
  }
}

/** The code of a refusal by Better Auth, or null for any other error. */
export function refusalCode(error: unknown): string | null {
  return isAPIError(error) ? String(error.body?.code ?? error.status) : null;
}

/** Whether Postgres refused a second row with a value that must be unique. */
export function isDuplicate(error: unknown): boolean {
  return causesOf(error).some(({ code }) => code === '23505');
}

function translated(cause: unknown): unknown {
  const code = refusalCode(cause);
  if (code === null) return cause;
  const make = table[code];
  if (make) return make({ cause });
  // It wraps what the database threw; the edge knows those.
  if (cause instanceof Error && cause.cause instanceof Error) return cause.cause;
  return new AppError('internal.unexpected', {
    public: 'Something went wrong on our side. Try again in a moment.',
    internal: `Better Auth refused with ${code}`,
    cause,
  });
}

const signInFirst = (more: { cause: unknown }) =>
  new AppError('access.sign_in_first', { status: 401, public: 'Sign in first.', ...more });

const table: Record<string, ((more: { cause: unknown }) => AppError) | undefined> = {
  INVALID_EMAIL_OR_PASSWORD: errors.wrong_credentials,
  INVALID_PASSWORD: errors.wrong_credentials,
  PASSWORD_TOO_LONG: errors.wrong_credentials,
  CREDENTIAL_ACCOUNT_NOT_FOUND: errors.wrong_credentials,
  EMAIL_NOT_VERIFIED: errors.email_not_verified,
  TOKEN_EXPIRED: errors.link_expired,
  INVALID_TOKEN: errors.link_used,
  UNAUTHORIZED: signInFirst,
};
