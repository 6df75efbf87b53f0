/**
 * How long a request may take when nobody says otherwise: the default of REQUEST_TIMEOUT_MS. It stands here, below
 * whoever needs it: the API answers by then, the roles' logins are limited by it, and doctor looks for it.
 */
export const defaultRequestMs = 15_000;

/**
 * The limits of sessions that say none themselves, as those of a pooler: a request is answered
 * by then, and whatever lasts longer works for nobody and holds rows of others.
 */
export const limitNames = ['statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'] as const;
