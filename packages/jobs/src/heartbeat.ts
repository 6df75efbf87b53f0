import { hostname } from 'node:os';
import type { Database } from '@ballast/db';
import type { Log } from '@ballast/kernel';
import { beatEveryMs } from './fleet.ts';

export interface Presence {
  processId: string;
  role: string;
  /** The build that runs, for "versions differ between replicas". */
  release: string;
  slots: Readonly<Record<string, number>>;
  knows: readonly string[];
  /** The packs under way, and recent run times by job name. */
  now(): { packs: string[]; runMs: Record<string, number> };
}

/**
 * Says "I am here" every three seconds, by the database's clock. Resolves with the
 * first beat written: only then may the process take packs.
 */
export async function startHeartbeat(db: Database, presence: Presence, log: Log): Promise<{ close(): Promise<void> }> {
  await beat(db, presence);
  let under = Promise.resolve();
  const timer = setInterval(() => {
    under = beat(db, presence).catch((error: Error) => log.warn({ error: error.message }, 'heartbeat not written'));
  }, beatEveryMs);
  return {
    async close() {
      clearInterval(timer);
      await under;
      // Gone on purpose: the sweep need not wait for silence.
      await db.sql`delete from jobs.process where id = ${presence.processId}`.catch(() => {});
    },
  };
}

async function beat(db: Database, presence: Presence): Promise<void> {
  const { packs, runMs } = presence.now();
  await db.sql`
    insert into jobs.process (id, role, release, host, slots, knows, packs, run_ms)
    values (${presence.processId}, ${presence.role}, ${presence.release}, ${hostname()},
            ${JSON.stringify(presence.slots)}::text::jsonb, ${presence.knows as string[]}::text[],
            ${packs}::uuid[], ${JSON.stringify(runMs)}::text::jsonb)
    on conflict (id) do update
    set beat_at = now(), packs = excluded.packs, run_ms = excluded.run_ms, slots = excluded.slots, knows = excluded.knows`;
}
