import { type Database, openDatabase } from '@ballast/db';
import { type CatchUp, defineJob, defineSchedule, type ScheduleDefinition } from '@ballast/kernel';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nextSlot, registerSchedules, runDueSlots } from './schedule.ts';
import { pendingJobs } from './testing.ts';

const tidy = defineJob({ name: 'suite.tidy', payload: z.strictObject({}) });
const every = (cron: string, more: Partial<ScheduleDefinition<Record<string, never>>> = {}) =>
  defineSchedule({ name: 'suite.round', job: tidy, payload: {}, cron, ...more }) as ScheduleDefinition;
const log = { debug() {}, info() {}, warn() {}, error() {} };

describe('nextSlot', () => {
  const berlin = every('30 2 * * *', { zone: 'Europe/Berlin' });
  const after = (moment: string, schedule = berlin) => nextSlot(schedule, new Date(moment))?.toISOString();

  it('runs a slot that daylight saving skips when the gap ends', () => {
    expect(after('2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(after('2026-03-29T01:00:00Z')).toBe('2026-03-30T00:30:00.000Z');
  });

  it('runs a slot that daylight saving repeats once', () => {
    expect(after('2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(after('2026-10-25T00:30:00Z')).toBe('2026-10-26T01:30:00.000Z');
  });

  it('keeps an interval through the repeated hour', () => {
    const half = every('*/30 * * * *', { zone: 'Europe/Berlin' });
    expect(after('2026-10-25T00:30:00Z', half)).toBe('2026-10-25T01:00:00.000Z');
    expect(after('2026-10-25T01:00:00Z', half)).toBe('2026-10-25T01:30:00.000Z');
  });

  it.each([
    ['99 * * * *', 'UTC'],
    ['* * * * *', 'Mars/Olympus'],
    ['often', 'UTC'],
  ])('refuses %s in %s by name', (cron, zone) => {
    expect(() => nextSlot(every(cron, { zone }), new Date())).toThrow('Schedule suite.round cannot be read');
  });
});

describe('due slots', () => {
  let database: TestDatabase;
  let db: Database;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = openDatabase({ url: database.dispatcherUrl, applicationName: 'suite' });
  });

  afterAll(async () => {
    await db.close();
    await database.drop();
  });

  beforeEach(async () => {
    await db.sql`delete from jobs.job`;
    await db.sql`delete from jobs.schedule`;
  });

  const run = (schedule: ScheduleDefinition) =>
    runDueSlots(db, new Map([[schedule.name, schedule]]), [schedule.name], log);
  /** As if the last worker had died `minutes` ago. */
  async function missed(schedule: ScheduleDefinition, minutes: number): Promise<void> {
    await registerSchedules(db, [schedule]);
    await db.sql`update jobs.schedule set next_slot = date_trunc('minute', now()) - ${minutes} * interval '1 minute'`;
  }

  it('starts with the first slot after now, and keeps it over restarts', async () => {
    const yearly = every('0 0 1 1 *');
    await registerSchedules(db, [yearly]);
    const [first] = await db.sql`select next_slot from jobs.schedule`;
    await registerSchedules(db, [yearly]);
    expect(await db.sql`select next_slot from jobs.schedule`).toEqual([first]);
    expect(await run(yearly)).toBe(0);
    await registerSchedules(db, [every('0 0 1 2 *')]);
    expect(await db.sql`select next_slot from jobs.schedule`).not.toEqual([first]);
  });

  it('runs a slot once, whoever looks', async () => {
    const minutely = every('* * * * *');
    await missed(minutely, 0);
    const counts = await Promise.all(Array.from({ length: 5 }, () => run(minutely)));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(await pendingJobs(db)).toMatchObject([{ name: 'suite.tidy', tenantId: null }]);
  });

  it.each([
    ['one', 1],
    [{ all: 3 }, 3],
    [{ all: 100 }, 11],
  ] as [CatchUp, number][])('after ten minutes without workers catches up %j: %d jobs', async (catchUp, jobs) => {
    const minutely = every('* * * * *', { catchUp });
    await missed(minutely, 10);
    expect(await run(minutely)).toBe(jobs);
    expect(await run(minutely)).toBe(0);
  });

  it('skips what passed, when told to', async () => {
    const hourly = every('*/20 * * * *', { catchUp: 'skip' });
    await registerSchedules(db, [hourly]);
    await db.sql`update jobs.schedule set next_slot = now() - interval '1 minute'`;
    expect(await run(hourly)).toBe(0);
    const [row] = await db.sql<{ ahead: boolean }[]>`select next_slot > now() as ahead from jobs.schedule`;
    expect(row?.ahead).toBe(true);
  });
});
