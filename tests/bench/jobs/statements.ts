import type postgres from 'postgres';

export interface StatementCost {
  text: string;
  calls: number;
  rows: number;
  /** Milliseconds that Postgres executed it, all calls together. */
  ms: number;
  /** 8 kB pages found in or read into memory, all calls together. */
  buffers: number;
}

/** Counts statements from now on; `stop` tells those of this database, the costliest first. For insight, not for timing: it costs some per cent. */
export async function countStatements(
  admin: postgres.Sql,
  database: string,
): Promise<{ stop(): Promise<StatementCost[]> }> {
  await admin`create extension if not exists pg_stat_statements`;
  await trackStatements(admin, 'top');
  await admin`select pg_stat_statements_reset()`;
  return {
    async stop() {
      const rows = await admin<StatementCost[]>`
        select regexp_replace(query, '[[:space:]]+', ' ', 'g') as text, calls::int, rows::int, total_exec_time as ms,
               (shared_blks_hit + shared_blks_read)::int as buffers
        from pg_stat_statements join pg_database on pg_database.oid = dbid
        where datname = ${database} and query not like '%pg_stat_statements%'
        order by total_exec_time desc`;
      await trackStatements(admin, 'none');
      return [...rows];
    },
  };
}

/** What pg_stat_statements counts, at once for every connection. */
export async function trackStatements(admin: postgres.Sql, what: 'top' | 'none'): Promise<void> {
  await admin.unsafe(`alter system set pg_stat_statements.track = ${what}`);
  await admin.unsafe('select pg_reload_conf()');
  // Every connection takes it up before its next statement.
  await new Promise((resolve) => setTimeout(resolve, 100));
}

/** The statements as lines for people. */
export function describeStatements(statements: readonly StatementCost[], jobs: number): string[] {
  return statements.slice(0, 14).map(({ text, calls, rows, ms, buffers }) => {
    const perJob = (value: number, digits: number) => (value / jobs).toFixed(digits);
    return `    ${perJob(ms * 1_000, 1)} µs a job, ${perJob(calls, 3)} calls, ${perJob(buffers, 1)} buffers a job, ${(rows / Math.max(1, calls)).toFixed(1)} rows a call: ${text.trim().slice(0, 110)}`;
  });
}
