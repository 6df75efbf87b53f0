import { hostname } from 'node:os';
import type { Database } from '@ballast/db';
import type { Log } from '@ballast/kernel';
import { beatEveryMs, gapMs } from './fleet.ts';
import { backInLine } from './line-up.ts';

export interface Presence {
  processId: string;
  role: string;
  /** The build that runs, for "versions differ between replicas". */
  release: string;
  slots: Readonly<Record<string, number>>;
  knows: readonly string[];
  /** The names of its schedules. */
  schedules: readonly string[];
  /** The packs under way, and recent run times by job name. */
  now(): { packs: string[]; runMs: Record<string, number> };
}

/**
 * Says "I am here" every three seconds, by the database's clock. Resolves with the
 * first beat written: only then may the process take packs.
 */
export async function startHeartbeat(db: Database, presence: Presence, log: Log): Promise<{ close(): Promise<void> }> {
  // Packs are in the list before they are opened: those that were opened before this moment of Postgres are in the next.
  let answeredAt = await beat(db, presence, null);
  await vouch(db, presence);
  let beats = 0;
  const beatAgain = async () => {
    answeredAt = await beat(db, presence, answeredAt);
  };
  let under = Promise.resolve();
  const timer = setInterval(() => {
    // Every seventh beat: kinds need vouching for once in a minute.
    beats += 1;
    const vouching = beats % 7 === 0;
    under = Promise.all([beatAgain(), vouching ? vouch(db, presence) : null]).then(
      () => {},
      (error: Error) => log.warn({ error: error.message }, 'heartbeat not written'),
    );
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

/**
 * Says which kinds of job and which schedules somebody knows, at most every twenty seconds a kind, and
 * takes what was parked for want of it back into the line.
 */
async function vouch(db: Database, { knows, schedules }: Presence): Promise<void> {
  const kinds = knows.map((known) => known.split('@') as [string, string]);
  const names = kinds.map(([name]) => name);
  const versions = kinds.map(([, version]) => Number(version));
  const parked = db.sql`
    why = 'parked' and (name, version) in (select * from unnest(${names}::text[], ${versions}::int[]))`;
  await db.sql`
    with kind as (
      insert into jobs.kind (name, version) select * from unnest(${names}::text[], ${versions}::int[])
      on conflict (name, version) do update set known_at = now() where kind.known_at < now() - interval '20 seconds'
    ), schedule as (
      update jobs.schedule set known_at = now()
      where name = any(${schedules as string[]}::text[]) and known_at < now() - interval '1 day'
    ), ${backInLine(db.sql, parked)}
    select 1`;
}

/**
 * @param listedAt a moment before the list of packs is made, by Postgres' clock.
 * @returns when it was written, by Postgres' clock.
 */
async function beat(db: Database, presence: Presence, listedAt: string | null): Promise<string> {
  const { packs, runMs } = presence.now();
  const [written] = await db.sql<{ at: string }[]>`
    insert into jobs.process (id, role, release, host, slots, knows, schedules, packs, listed_at, run_ms)
    values (${presence.processId}, ${presence.role}, ${presence.release}, ${hostname()},
            ${JSON.stringify(presence.slots)}::text::jsonb, ${presence.knows as string[]}::text[],
            ${presence.schedules as string[]}::text[], ${packs}::uuid[], ${listedAt}::text::timestamptz,
            ${JSON.stringify(runMs)}::text::jsonb)
    on conflict (id) do update
    set beat_at = now(), packs = excluded.packs, listed_at = excluded.listed_at, run_ms = excluded.run_ms, slots = excluded.slots, knows = excluded.knows,
        schedules = excluded.schedules,
        steady_since = case when process.beat_at < now() - ${gapMs} * interval '1 millisecond'
          then now() else process.steady_since end
    returning beat_at::text as at`;
  return (written as { at: string }).at;
}
