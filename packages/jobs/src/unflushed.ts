import type postgres from 'postgres';

/**
 * A column that makes the commit of the transaction under way not wait for the disk. Only
 * for a claim: should Postgres crash before it has written it down, the rows are back in
 * their line, and the queue carries a pack that nobody knows and a worker discards. No
 * handler runs before its claim is on disk, since the commit that opens the pack comes
 * after it in the same log, and waits (docs/decisions/0029).
 */
export function unflushed(sql: postgres.Sql | postgres.TransactionSql) {
  return sql`(select set_config('synchronous_commit', 'off', true)) as unflushed`;
}
