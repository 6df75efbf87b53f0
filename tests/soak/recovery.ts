import type { Database } from '@ballast/db';
import type { Member } from './fleet.ts';

/** What a process had in hand when it was killed, and what became of it. Times are in milliseconds after the kill. */
export interface Recovered {
  jobId: string;
  name: string;
  priority: number;
  /** When it no longer belonged to the dead: from then on it waits as every other job does. */
  backMs: number;
  /** When it began again, or ended: dead by its last attempt, done by a commit that was on its way, or cancelled. */
  againMs: number;
  /** Jobs that stood behind it in its line when it was back, and began long before it. */
  overtakenBy: number;
}

/** How long it takes until what a killed process ran is run again, or ended. */
export interface Recovery {
  /** A process is dead: what had it in hand? */
  ended(member: Member, how: string): Promise<void>;
  started(member: Member, jobIds: readonly string[]): void;
  /** Redis answers again. */
  redisBack(): void;
  /** `redis` in milliseconds. Asks of jobs that did not start again when they ended. */
  told(): Promise<{ killed: Recovered[]; redis: number[] }>;
  close(): Promise<void>;
}

interface Struck {
  at: number;
  process: number;
  packId: string;
  name: string;
  priority: number;
  /** In milliseconds since the epoch; null while the pack of the dead holds it. */
  backAt: number | null;
  place: Place | null;
}

/** Where it stands in the line. The time is Postgres' own, in words: a `Date` would cut it. */
interface Place {
  queue: string;
  lane: string;
  runAt: string;
}

const lookEveryMs = 1_000;
/** Several dispatchers claim from a line at once, and what they claimed waits in the queue: that far order is nobody's promise. */
const disorderMs = 15_000;

export function openRecovery(db: Database): Recovery {
  const waiting = new Map<string, Struck>();
  const killed: { jobId: string; struck: Struck; againAt: number }[] = [];
  const redis: number[] = [];
  let redisBackAt: number | null = null;

  /** Which of them the dead have given back by now. */
  async function look(): Promise<void> {
    const held = [...waiting].filter(([, struck]) => struck.backAt === null);
    if (held.length === 0) return;
    const rows = await db.sql<({ id: string; packId: string | null } & Partial<Place>)[]>`
      select item.id, pack.id as "packId", due.queue, due.lane, due.run_at::text as "runAt"
      from unnest(${held.map(([id]) => id)}::uuid[], ${held.map(([, struck]) => struck.packId)}::uuid[]) as item (id, pack_id)
      left join jobs.pack on pack.id = item.pack_id and item.id = any(pack.job_ids)
      left join (
        select job_id, queue, lane, run_at from jobs.due
        union all select job_id, queue, lane, coalesce(place_at, run_at) from jobs.later
      ) due on due.job_id = item.id`;
    const now = Date.now();
    for (const { id, packId, queue, lane, runAt } of rows) {
      const struck = waiting.get(id);
      if (!struck || packId !== null) continue;
      struck.backAt = now;
      // Claimed again since: then it did not wait.
      if (queue && lane && runAt) struck.place = { queue, lane, runAt };
    }
  }

  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // Postgres may have no time for a look: the next one sees as much.
    looking = looking.then(look).catch(() => {});
  }, lookEveryMs);

  return {
    async ended(member, how) {
      // One that was told to end has handed back what it had.
      if (!member.processId || how === 'terminate a worker') return;
      const at = Date.now();
      const rows = await db.sql<{ id: string; packId: string; name: string; priority: number }[]>`
        select job.id, pack.id as "packId", job.name, job.priority
        from jobs.pack cross join unnest(job_ids) as member (id) join jobs.job on job.id = member.id
        where runner_id = ${member.processId} and job.state = 'open'`;
      for (const { id, ...row } of rows) {
        waiting.set(id, { ...row, at, process: member.number, backAt: null, place: null });
      }
    },
    started(member, jobIds) {
      if (redisBackAt !== null) redis.push(Date.now() - redisBackAt);
      redisBackAt = null;
      for (const jobId of jobIds) {
        const struck = waiting.get(jobId);
        if (!struck || struck.process === member.number) continue;
        waiting.delete(jobId);
        killed.push({ jobId, struck, againAt: Date.now() });
      }
    },
    redisBack() {
      redisBackAt = Date.now();
    },
    async told() {
      const ids = [...waiting.keys()];
      const rows = await db.sql<{ id: string; endedAt: Date }[]>`
        select id, ended_at as "endedAt" from jobs.job where id = any(${ids}::uuid[]) and ended_at is not null`;
      for (const { id, endedAt } of rows) {
        const struck = waiting.get(id);
        if (!struck) continue;
        killed.push({ jobId: id, struck, againAt: Math.max(struck.at, new Date(endedAt).getTime()) });
        waiting.delete(id);
      }
      const recovered = killed.map(async ({ jobId, struck, againAt }): Promise<Recovered> => {
        const { at, backAt, place, name, priority } = struck;
        const overtakenBy = backAt === null || !place ? 0 : await countOvertakers(db, struck, place, backAt, againAt);
        const againMs = againAt - at;
        return { jobId, name, priority, backMs: Math.min(againMs, (backAt ?? againAt) - at), againMs, overtakenBy };
      });
      return { killed: await Promise.all(recovered), redis };
    },
    async close() {
      clearInterval(timer);
      await looking;
    },
  };
}

/**
 * Of those who stood behind it in the same line, only the ones that began once and were never put
 * back: their place is known. None may begin long after it was back and long before it began.
 */
async function countOvertakers(
  db: Database,
  { priority }: Struck,
  { queue, lane, runAt }: Place,
  backAt: number,
  againAt: number,
): Promise<number> {
  if (againAt - backAt <= 2 * disorderMs) return 0;
  const [row] = await db.sql<{ count: number }[]>`
    select count(*)::int as count from jobs.job
    where queue = ${queue} and lane = ${lane} and priority = ${priority} and run_at > ${runAt}::timestamptz and attempt = 1
      and started_at between ${iso(backAt + disorderMs)}::timestamptz and ${iso(againAt - disorderMs)}::timestamptz`;
  return row?.count ?? 0;
}

const iso = (ms: number) => new Date(ms).toISOString();
