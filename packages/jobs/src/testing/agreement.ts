import type { Database } from '@ballast/db';
import { expect } from 'vitest';
import { misplacedJobs } from '../testing.ts';
import type { Model } from './model.ts';
import { limits } from './system.ts';

interface Found {
  id: string;
  state: string;
  attempt: number;
  alone: boolean;
  places: string[];
  key: string | null;
  buried: boolean;
  effects: string[];
}

/** The tables say what the model says, of every job and every pack; and every open job is in one place. */
export async function agree(db: Database, model: Model): Promise<void> {
  expect(await misplacedJobs(db)).toEqual([]);
  expect(await readJobs(db)).toEqual(
    [...model.jobs].sort(byId).map((job) => {
      const open = !['done', 'dead', 'cancelled'].includes(job.place);
      return {
        id: job.id,
        state: open ? 'open' : job.place,
        attempt: job.attempt,
        alone: job.alone,
        // A pack may still name what has ended; whoever waits in the line has not.
        places: open ? [job.place] : [],
        key: job.key,
        buried: job.place === 'dead',
        effects: [...job.effects].sort(),
      };
    }),
  );
  expect(await db.sql`select id, name, runner_id as runner, job_ids as jobs from jobs.pack order by id`).toEqual(
    [...model.packs]
      .sort(byId)
      .map(({ id, name, runner, jobs }) => ({ id, name, runner, jobs: jobs.map((job) => job.id) })),
  );
  expect(await overLimit(db)).toEqual([]);
}

/** Limited kinds of which more packs are out than may be. */
export async function overLimit(db: Database): Promise<readonly unknown[]> {
  const out = await db.sql<{ name: string; packs: number }[]>`
    select name, count(*)::int as packs from jobs.pack where name = any(${[...limits.keys()]}::text[]) group by name`;
  return out.filter(({ name, packs }) => packs > (limits.get(name) as number));
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);

async function readJobs(db: Database): Promise<Found[]> {
  const rows = await db.sql<Found[]>`
    with place as (
      select job_id, 'due' as place from jobs.due
      union all select job_id, 'later' from jobs.later
      union all select job_id, case why when 'held' then 'held' else 'aside' end from jobs.aside
      union all select member, 'out' from jobs.pack cross join lateral unnest(job_ids) as member
                join jobs.job on job.id = member and job.state = 'open'
    )
    select id, state, attempt, alone,
           array(select place from place where place.job_id = job.id) as places,
           (select key from jobs.key where key.job_id = job.id) as key,
           exists (select 1 from jobs.dead where dead.job_id = job.id) as buried,
           array(select part from effect where effect.job_id = job.id order by part) as effects
    from jobs.job order by id`;
  return [...rows];
}
