/**
 * Schedules are rows: the slot that comes next is advanced by compare-and-set in the
 * transaction that inserts the slot's job, so any number of workers runs it once.
 *
 * A row is only run by a process that knows the schedule by the same expression. When
 * its module is off, the row keeps its slot; when a process knows it again, what has
 * passed meanwhile is caught up as the schedule says.
 */
import { type Database, sqlOf, withScope } from '@ballast/db';
import { AppError, type CatchUp, type Log, type ScheduleDefinition } from '@ballast/kernel';
import { enqueueMany } from './enqueue.ts';
import { latestSlots, nextSlot, scheduleProblems } from './slots.ts';

export { scheduleProblems } from './slots.ts';

/** Throws when one cannot be run: at the start, and not when its slot comes. */
export function refuseWrongSchedules(schedules: readonly ScheduleDefinition[]): void {
  const problems = schedules.flatMap((schedule) =>
    scheduleProblems(schedule).map((problem) => `The schedule '${schedule.name}': ${problem}`),
  );
  if (problems.length === 0) return;
  throw new AppError('jobs.invalid_schedule', { public: problems.join('\n'), retryable: false });
}

/**
 * Gives new schedules their first slot, and changed ones a new one. What the code no
 * longer names keeps its row and is not run: another release may still know it. After
 * ninety days without one the sweep removes it.
 */
export async function registerSchedules(db: Database, schedules: readonly ScheduleDefinition[]): Promise<void> {
  if (schedules.length === 0) return;
  refuseWrongSchedules(schedules);
  const now = await databaseTime(db);
  // In one order everywhere, so that two processes that start at once cannot hold each other up.
  const rows = [...schedules].sort((left, right) => (left.name < right.name ? -1 : 1));
  await db.sql`
    insert into jobs.schedule (name, cron, zone, next_slot)
    select name, cron, zone, first::timestamptz from unnest(
      ${rows.map((row) => row.name)}::text[], ${rows.map((row) => row.cron)}::text[], ${rows.map((row) => row.zone)}::text[],
      ${rows.map((row) => nextSlot(row, now)?.toISOString() ?? 'infinity')}::text[]
    ) as given (name, cron, zone, first)
    on conflict (name) do update
    set cron = excluded.cron, zone = excluded.zone, known_at = now(),
        next_slot = case when (schedule.cron, schedule.zone) is distinct from (excluded.cron, excluded.zone)
          then excluded.next_slot else schedule.next_slot end`;
}

/** Inserts the jobs of every slot that has come. Returns how many. */
export async function runDueSlots(
  db: Database,
  schedules: ReadonlyMap<string, ScheduleDefinition>,
  due: readonly string[],
  log: Log,
): Promise<number> {
  let inserted = 0;
  for (const name of due) {
    const schedule = schedules.get(name);
    // Another process may know it; if none does, its slots wait for one.
    if (!schedule) continue;
    try {
      inserted += await runSlots(db, schedule, log);
    } catch (error) {
      // The round goes on: one schedule must not hold up every job.
      log.error({ schedule: name, error: (error as Error).message }, 'slot not run; the next look tries again');
    }
  }
  return inserted;
}

/** A slot seen this late was missed: somebody alive would have seen it within two polls. */
const missedAfterMs = 15_000;

interface Due {
  cron: string;
  zone: string;
  next_slot: string;
  now: string;
}

async function runSlots(db: Database, schedule: ScheduleDefinition, log: Log): Promise<number> {
  const [row] = await db.sql<Due[]>`
    select cron, zone, next_slot::text, now()::text as now from jobs.schedule
    where name = ${schedule.name} and next_slot <= now()`;
  if (!row) return 0;
  const [first, now] = [new Date(row.next_slot), new Date(row.now)];
  const own = row.cron === schedule.cron && row.zone === schedule.zone;
  // The expression of another release: it runs the slot, unless nobody of it is left.
  if (!own && now.getTime() - first.getTime() <= missedAfterMs) return 0;
  const slots = chosen(schedule, first, now, own);
  const next = nextSlot(schedule, now)?.toISOString() ?? 'infinity';
  return withScope(db, {}, async (tx) => {
    const advanced = await sqlOf(tx)`
      update jobs.schedule
      set next_slot = ${next}::text::timestamptz, known_at = now(), cron = ${schedule.cron}, zone = ${schedule.zone},
          last_slot = coalesce(${slots.at(-1)?.toISOString() ?? null}::text::timestamptz, last_slot)
      where name = ${schedule.name} and next_slot = ${row.next_slot}::text::timestamptz
        and cron = ${row.cron} and zone = ${row.zone}`;
    // Another worker was first.
    if (advanced.count !== 1) return 0;
    const items = slots.map((slot) => ({ payload: schedule.payload, tenant: null, key: slot.toISOString() }));
    await enqueueMany(tx, schedule.job, items);
    if (own && slots[0]?.getTime() !== first.getTime()) {
      log.warn({ schedule: schedule.name, since: first, run: slots.length }, 'slots passed while no worker knew it');
    }
    return slots.length;
  });
}

/** Which of the slots since `first` are run, by what the schedule says of those that were missed. */
function chosen(schedule: ScheduleDefinition, first: Date, now: Date, own: boolean): Date[] {
  const latest = latestSlots(schedule, first, now, mostOf(schedule.catchUp));
  // A clock change that the rules learned of later may have moved the slot away from under its row.
  const slots = latest.length === 0 && own ? [first] : latest;
  if (schedule.catchUp !== 'skip') return slots;
  return slots.filter((slot) => now.getTime() - slot.getTime() <= missedAfterMs);
}

const mostOf = (catchUp: CatchUp) => (typeof catchUp === 'object' ? catchUp.all : 1);

/** Slots are counted by the database's clock: a host that runs an hour ahead must not run them early. */
async function databaseTime(db: Database): Promise<Date> {
  const [row] = await db.sql<{ now: string }[]>`select now()::text as now`;
  if (!row) throw new Error('The database told no time.');
  return new Date(row.now);
}
