import { hostname } from 'node:os';
import type { Database } from '@ballast/db';
import type { Log } from '@ballast/kernel';
import { beatEveryMs, gapMs } from './fleet.ts';
import { backAtOnce, backInLine } from './line-up.ts';

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

/** How long a turn may take parked jobs back into the line; the next beat goes on with the rest. */
const unparkForDefaultMs = beatEveryMs / 2;

/**
 * Says "I am here" every three seconds, by the database's clock. Resolves with the
 * first beat written: only then may the process take packs.
 */
export async function startHeartbeat(
  db: Database,
  presence: Presence,
  log: Log,
  { unparkForMs = unparkForDefaultMs } = {},
): Promise<{ close(): Promise<void> }> {
  let closed = false;
  const unparkUntil = () => {
    const until = performance.now() + unparkForMs;
    return () => closed || performance.now() >= until;
  };
  // Packs are in the list before they are opened: those that were opened before this moment of Postgres are in the next.
  let answeredAt = await beat(db, presence, null);
  await vouch(db, presence);
  let parkedLeft = await unpark(db, presence, unparkUntil());
  let beats = 0;
  const beatAgain = async () => {
    answeredAt = await beat(db, presence, answeredAt);
  };
  const vouchAgain = async () => {
    await vouch(db, presence);
    parkedLeft = await unpark(db, presence, unparkUntil());
  };
  const warn = (error: Error) => log.warn({ error: error.message }, 'heartbeat not written');
  // All of them: one whose answer is late may be written after those behind it, and must not be after the farewell.
  const under = new Set<Promise<void>>();
  let vouching: Promise<void> | null = null;
  const timer = setInterval(() => {
    beats += 1;
    // Every seventh beat: kinds need vouching for once in a minute.
    if (vouching === null && (beats % 7 === 0 || parkedLeft)) {
      vouching = vouchAgain()
        .catch(warn)
        .finally(() => {
          vouching = null;
        });
    }
    const beating = beatAgain()
      .catch(warn)
      .finally(() => under.delete(beating));
    under.add(beating);
  }, beatEveryMs);
  return {
    async close() {
      clearInterval(timer);
      closed = true;
      await Promise.all([...under, vouching]);
      // Gone on purpose: the sweep need not wait for silence.
      await db.sql`delete from jobs.process where id = ${presence.processId}`.catch(() => {});
    },
  };
}

/** Says which kinds of job and which schedules somebody knows, at most every twenty seconds a kind. */
async function vouch(db: Database, { knows, schedules }: Presence): Promise<void> {
  const { names, versions } = kindsOf(knows);
  await db.sql`
    with schedule as (
      update jobs.schedule set known_at = now()
      where name = any(${schedules as string[]}::text[]) and known_at < now() - interval '1 day'
    )
    insert into jobs.kind (name, version) select * from unnest(${names}::text[], ${versions}::int[])
    on conflict (name, version) do update set known_at = now() where kind.known_at < now() - interval '20 seconds'`;
}

/**
 * Takes what was parked for want of one who knows it back into the line, batch after batch, each its own
 * commit. True when its time was over and there may be more.
 */
async function unpark(db: Database, { knows }: Presence, isOver: () => boolean): Promise<boolean> {
  const { names, versions } = kindsOf(knows);
  for (;;) {
    const parked = db.sql`
      why = 'parked' and (name, version) in (select * from unnest(${names}::text[], ${versions}::int[]))`;
    const back = await db.sql`with ${backInLine(db.sql, parked)} select job_id from back`;
    if (back.count < backAtOnce) return false;
    if (isOver()) return true;
  }
}

function kindsOf(knows: readonly string[]): { names: string[]; versions: number[] } {
  const kinds = knows.map((known) => known.split('@') as [string, string]);
  return { names: kinds.map(([name]) => name), versions: kinds.map(([, version]) => Number(version)) };
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
