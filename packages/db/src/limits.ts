/**
 * The limits of sessions that say none themselves, as those of a pooler: a request is answered
 * by then, and whatever lasts longer works for nobody and holds rows of others.
 */
export const limitNames = ['statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'] as const;

/** As long as the API lets a request take when nobody says otherwise. */
export const defaultLimitMs = 15_000;
