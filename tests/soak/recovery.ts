import type { Database } from '@ballast/db';
import type { Member } from './fleet.ts';

/** How long it takes until what a killed process ran is run again, or ended. */
export interface Recovery {
  /** A process is dead: what had it in hand? */
  ended(member: Member, how: string): Promise<void>;
  started(member: Member, jobIds: readonly string[]): void;
  /** Redis answers again. */
  redisBack(): void;
  /** In milliseconds. Asks of jobs that did not start again when they ended. */
  times(): Promise<{ killed: number[]; redis: number[] }>;
}

export function openRecovery(db: Database): Recovery {
  const waiting = new Map<string, { at: number; process: number }>();
  const killed: number[] = [];
  const redis: number[] = [];
  let redisBackAt: number | null = null;
  return {
    async ended(member, how) {
      // One that was told to end has handed back what it had.
      if (!member.processId || how === 'terminate a worker') return;
      const at = Date.now();
      const rows = await db.sql<{ id: string }[]>`
        select job.id from jobs.pack cross join unnest(job_ids) as member (id) join jobs.job on job.id = member.id
        where runner_id = ${member.processId} and job.state = 'open'`;
      for (const { id } of rows) waiting.set(id, { at, process: member.number });
    },
    started(member, jobIds) {
      if (redisBackAt !== null) redis.push(Date.now() - redisBackAt);
      redisBackAt = null;
      for (const id of jobIds) {
        const struck = waiting.get(id);
        if (!struck || struck.process === member.number) continue;
        waiting.delete(id);
        killed.push(Date.now() - struck.at);
      }
    },
    redisBack() {
      redisBackAt = Date.now();
    },
    async times() {
      // Dead by their last attempt, done by a commit that was on its way, or cancelled.
      const ids = [...waiting.keys()];
      const rows = await db.sql<{ id: string; endedAt: Date }[]>`
        select id, ended_at as "endedAt" from jobs.job where id = any(${ids}::uuid[]) and ended_at is not null`;
      for (const { id, endedAt } of rows) {
        killed.push(Math.max(0, new Date(endedAt).getTime() - (waiting.get(id)?.at ?? 0)));
        waiting.delete(id);
      }
      return { killed, redis };
    },
  };
}
