/**
 * Schedules are rows: the slot that comes next is advanced by compare-and-set in the
 * transaction that inserts the slot's job, so any number of workers runs it once.
 */
import { type Database, sqlOf, withScope } from '@ballast/db';
import { AppError, type CatchUp, type Log, type ScheduleDefinition } from '@ballast/kernel';
import { Cron } from 'croner';
import { enqueueMany } from './enqueue.ts';

/** The first slot after `after`, or null when the expression never comes round again. */
export function nextSlot(schedule: Pick<ScheduleDefinition, 'name' | 'cron' | 'zone'>, after: Date): Date | null {
  try {
    return new Cron(schedule.cron, { timezone: schedule.zone, mode: '5-or-6-parts' }).nextRun(after);
  } catch (cause) {
    throw new AppError('jobs.invalid_schedule', {
      public: `Schedule ${schedule.name} cannot be read: "${schedule.cron}" in "${schedule.zone}". ${(cause as Error).message}`,
      cause,
      retryable: false,
    });
  }
}

/**
 * Gives new schedules their first slot, and changed ones a new one. What the code no
 * longer names keeps its row and is not run: another release may still know it.
 */
export async function registerSchedules(db: Database, schedules: readonly ScheduleDefinition[]): Promise<void> {
  for (const schedule of schedules) {
    const first = nextSlot(schedule, await databaseTime(db));
    if (!first) continue;
    await db.sql`
      insert into jobs.schedule (name, cron, zone, next_slot)
      values (${schedule.name}, ${schedule.cron}, ${schedule.zone}, ${first.toISOString()})
      on conflict (name) do update
      set cron = excluded.cron, zone = excluded.zone, next_slot = excluded.next_slot
      where (schedule.cron, schedule.zone) is distinct from (excluded.cron, excluded.zone)`;
  }
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
    if (!schedule) continue;
    inserted += await runSlots(db, schedule, log);
  }
  return inserted;
}

/** A slot seen this late was missed: somebody alive would have seen it within two polls. */
const missedAfterMs = 15_000;
/** The most slots that one look considers; a schedule of every second is caught up in portions of this. */
const maxSlots = 10_000;

async function runSlots(db: Database, schedule: ScheduleDefinition, log: Log): Promise<number> {
  const now = await databaseTime(db);
  const [row] = await db.sql<{ next_slot: string }[]>`
    select next_slot::text from jobs.schedule where name = ${schedule.name} and next_slot <= ${now.toISOString()}`;
  if (!row) return 0;
  const come = slotsBetween(schedule, new Date(row.next_slot), now);
  const slots = chosen(schedule.catchUp, come, now);
  const next = nextSlot(schedule, come.at(-1) ?? now)?.toISOString() ?? 'infinity';
  return withScope(db, {}, async (tx) => {
    const advanced = await sqlOf(tx)`
      update jobs.schedule set next_slot = ${next}::text::timestamptz, last_slot = next_slot
      where name = ${schedule.name} and next_slot = ${row.next_slot}::text::timestamptz`;
    // Another worker was first.
    if (advanced.count !== 1) return 0;
    const items = slots.map((slot) => ({ payload: schedule.payload, tenant: null, key: slot.toISOString() }));
    await enqueueMany(tx, schedule.job, items);
    if (come.length > slots.length) {
      log.warn({ schedule: schedule.name, passed: come.length, run: slots.length }, 'slots passed while nobody worked');
    }
    return slots.length;
  });
}

/** The slots from `first`, which is one, up to `now`. */
function slotsBetween(schedule: ScheduleDefinition, first: Date, now: Date): Date[] {
  const slots = [first];
  while (slots.length < maxSlots) {
    const next = nextSlot(schedule, slots.at(-1) as Date);
    if (!next || next > now) break;
    slots.push(next);
  }
  return slots;
}

function chosen(catchUp: CatchUp, come: readonly Date[], now: Date): Date[] {
  if (catchUp === 'one') return come.slice(-1);
  if (catchUp === 'skip') return come.filter((slot) => now.getTime() - slot.getTime() <= missedAfterMs).slice(-1);
  return come.slice(-catchUp.all);
}

/** Slots are counted by the database's clock: a host that runs an hour ahead must not run them early. */
async function databaseTime(db: Database): Promise<Date> {
  const [row] = await db.sql<{ now: string }[]>`select now()::text as now`;
  if (!row) throw new Error('The database told no time.');
  return new Date(row.now);
}
