import type { Database } from '@ballast/db';
import type postgres from 'postgres';

/** What an operator can do to a job. `hurried`: made due before its time. */
export type Act = 'cancelled' | 'retried' | 'hurried' | 'held' | 'released';

export interface ActCount {
  what: Act;
  queue: string;
  name: string;
  /** Since the database was made. */
  jobs: number;
}

/** A CTE that counts the rows of the CTE `source`, which has the columns queue and name. The last lock of its statement. */
export function acted(sql: postgres.Sql | postgres.TransactionSql, what: Act, source: string) {
  return sql`
    acted as (
      insert into jobs.act (what, queue, name, jobs)
      select ${what}, queue, name, count(*) from ${sql(source)} group by queue, name order by queue, name
      on conflict (what, queue, name) do update set jobs = act.jobs + excluded.jobs, last_at = now()
    )`;
}

/** How often each was done to each kind of job. */
export async function readActs(db: Database): Promise<ActCount[]> {
  return db.sql<ActCount[]>`select what, queue, name, jobs::float8 as jobs from jobs.act order by 1, 2, 3`;
}
