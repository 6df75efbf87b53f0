import type { Database } from '@ballast/db';

/**
 * Open jobs that are in no place, or in more than one, with the number of places. There
 * is never one, whatever was killed: a job in no place is lost, one in two runs twice.
 */
export async function misplacedJobs({ sql }: Pick<Database, 'sql'>): Promise<{ id: string; places: number }[]> {
  return sql<{ id: string; places: number }[]>`
    with place as (
      select job_id from jobs.due
      union all select job_id from jobs.later
      union all select job_id from jobs.aside
      union all select unnest(job_ids) from jobs.pack
    )
    select job.id, count(place.job_id)::int as places
    from jobs.job left join place on place.job_id = job.id
    where job.state = 'open' group by job.id having count(place.job_id) <> 1`;
}
