import type postgres from 'postgres';
import type { DueRow } from './fill.ts';
import { unflushed } from './unflushed.ts';

/** How many lines one claim looks at: a tenant's lane has one for each priority that waits in it. */
const maxLines = 64;

interface Walk {
  queue: string;
  freePacks: number;
  rowsPerPack: number;
  afterLane: string | null;
}

/** A line of the walk, and one of its due rows; all null in the row's place when others hold them. */
export type Walked = DueRow & { line: string; lines: number; share: number; place: number };

/**
 * Steps along the index from one line to the next, and locks the first rows of each:
 * what it reads does not grow with the backlog, nor with the number of tenants.
 *
 * In front of a line stand the dead entries of what was claimed before, until vacuum removes
 * them, and while somebody holds a snapshot that is not before its end. They are stepped over
 * once, on the way to the head: `row` begins there. Behind 600,000 of them a claim took 137 ms when
 * it stepped over them twice, and 68 so.
 */
export async function walk(
  sql: postgres.TransactionSql,
  { queue, freePacks, rowsPerPack, afterLane }: Walk,
): Promise<Walked[]> {
  const wanted = freePacks * rowsPerPack;
  // Not `$1 is null or …`: a plan for any value would then read every lane before this one.
  const behind = afterLane === null ? sql`` : sql`and due.lane > ${afterLane}`;
  return sql<Walked[]>`
    with recursive line (lane, priority, head_at, depth) as (
      (select due.lane, due.priority, due.run_at, 1 from jobs.due
       where queue = ${queue} ${behind}
       order by due.lane, due.priority, due.run_at limit 1)
      union all
      select next.lane, next.priority, next.run_at, depth + 1
      from line cross join lateral (
        select due.lane, due.priority, due.run_at from jobs.due
        where queue = ${queue} and (due.lane, due.priority) > (line.lane, line.priority)
        order by due.lane, due.priority, due.run_at limit 1
      ) next
      where depth < ${maxLines}
    ), turn as (
      select line.*, count(*) over ()::int as lines,
             greatest(1, ceil(${wanted}::numeric / (select count(distinct lane) from line)))::int as share
      from line
    ), seen as (
      select turn.lane as line, turn.lines, turn.share, row.*,
             row_number() over (partition by turn.lane order by turn.priority, row.run_at, row.job_id) as place
      from turn left join lateral (
        select due.ctid as at, due.* from jobs.due
        where due.queue = ${queue} and due.lane = turn.lane and due.priority = turn.priority
          and due.run_at >= turn.head_at
          and (due.discard_after is null or due.discard_after > now())
        order by due.run_at, due.job_id limit turn.share for update skip locked
      ) row on true
    )
    select line, lines, share, place::int, at::text, job_id as id, lane, name, version, alone, batch, concurrency, keyed, ${unflushed(sql)}
    from seen where place <= share order by place, line`;
}

/** The last line that was looked at; null when there is none behind it. */
export function endOf(walked: readonly Walked[]): string | null {
  return (walked[0]?.lines ?? 0) < maxLines ? null : walked.map((row) => row.line).reduce(later, null);
}

/** The last line in front of this one; `afterLane` when it is the first that was looked at. */
export function lineBefore(walked: readonly Walked[], line: string, afterLane: string | null): string | null {
  return walked
    .map((row) => row.line)
    .filter((other) => other < line)
    .reduce(later, afterLane);
}

const later = (a: string | null, b: string): string => (a === null || b > a ? b : a);
