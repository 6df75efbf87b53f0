import { AppError } from '@ballast/kernel';

/** What Nodemailer adds to its errors. */
interface SmtpError extends Error {
  code?: string;
  /** The server's reply, such as 550. */
  responseCode?: number;
  /** The command that it answered, such as `RCPT TO`. */
  command?: string;
}

/** A repeat can help: the server is away, slow or busy, or nobody judged the mail yet. */
export function deferred(internal: string, cause?: unknown): AppError {
  return new AppError('mail.deferred', {
    status: 503,
    public: 'The e-mail could not be sent now. It will be tried again.',
    internal,
    cause,
    retryable: true,
  });
}

/** A repeat cannot help: the same mail would be refused again. */
export function refused(internal: string, cause?: unknown): AppError {
  return new AppError('mail.refused', {
    status: 502,
    public: 'The e-mail was refused and will not be tried again.',
    internal,
    cause,
    retryable: false,
  });
}

/**
 * Sorts what went wrong. A 5xx is final only when it answers the mail itself: one
 * that answers the connection or the login says that this installation is blocked
 * or misconfigured, and must not cost every waiting mail.
 */
export function failureOf(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const error = cause as SmtpError;
  const reply = error.responseCode;
  const what = `${error.command ? `${error.command}: ` : ''}${error.message}`;
  if (reply !== undefined) {
    const judged = judging.test(error.command ?? '') && reply >= 500 && reply !== 503;
    return judged ? refused(what, cause) : deferred(what, cause);
  }
  return local.has(error.code ?? '') ? refused(what, cause) : deferred(what, cause);
}

const judging = /^(MAIL FROM|RCPT TO|DATA|BDAT)/i;

/** Nodemailer refused the mail before it reached a server. */
const local = new Set(['EENVELOPE', 'EMESSAGE', 'EFILEACCESS', 'EURLACCESS', 'ECONFIG', 'EMAXRECIPIENTS']);
