import type { Database } from '@ballast/db';
import { type CatchUp, defineJob, defineSchedule, type ScheduleDefinition } from '@ballast/kernel';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { registerSchedules, runDueSlots } from './schedule.ts';
import { latestSlots, nextSlot } from './slots.ts';
import { forgetJobs, pendingJobs } from './testing.ts';

const tidy = defineJob({ name: 'suite.tidy', payload: z.strictObject({}) });
const every = (cron: string, more: Partial<ScheduleDefinition<Record<string, never>>> = {}) =>
  defineSchedule({ name: 'suite.round', job: tidy, payload: {}, cron, ...more }) as ScheduleDefinition;
/** Every twenty minutes, with none in the last minutes nor the next: a slot that is missed, whenever the test runs. */
const farFromNow = () => {
  const minute = (new Date().getUTCMinutes() + 10) % 20;
  return `${minute},${minute + 20},${minute + 40} * * * *`;
};
const log = { debug() {}, info() {}, warn() {}, error() {} };

describe('due slots', () => {
  let database: TestDatabase;
  let db: Database;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = openPatiently({ url: database.dispatcherUrl });
  });

  afterAll(async () => {
    await db.close();
    await database.drop();
  });

  beforeEach(async () => {
    await forgetJobs(db);
    await db.sql`delete from jobs.schedule`;
  });

  const run = (schedule: ScheduleDefinition) =>
    runDueSlots(db, new Map([[schedule.name, schedule]]), [schedule.name], log);
  /** As if the last worker had died before the latest `slots` slots. */
  async function missed(schedule: ScheduleDefinition, slots: number): Promise<void> {
    await registerSchedules(db, [schedule]);
    const [first] = latestSlots(schedule, new Date(0), new Date(), slots);
    await db.sql`update jobs.schedule set next_slot = ${first?.toISOString() ?? null} where name = ${schedule.name}`;
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
    const rare = every(farFromNow());
    await missed(rare, 1);
    const counts = await Promise.all(Array.from({ length: 5 }, () => run(rare)));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(await pendingJobs(db)).toMatchObject([{ name: 'suite.tidy', tenantId: null }]);
  });

  it.each([
    ['skip', 0],
    ['one', 1],
    [{ all: 3 }, 3],
    [{ all: 100 }, 11],
  ] as [CatchUp, number][])('after eleven slots without workers catches up %j: %d jobs', async (catchUp, jobs) => {
    const rare = every(farFromNow(), { catchUp });
    await missed(rare, 11);
    expect(await run(rare)).toBe(jobs);
    expect(await run(rare)).toBe(0);
  });

  it('runs the slot that is due now, also when missed ones are skipped', async () => {
    const secondly = every('* * * * * *', { catchUp: 'skip' });
    await missed(secondly, 3);
    expect(await run(secondly)).toBe(1);
  });

  it('runs the latest once after a year of slots, and says what passed', async () => {
    const lines: unknown[] = [];
    const secondly = every('* * * * * *', { catchUp: 'one' });
    await registerSchedules(db, [secondly]);
    await db.sql`update jobs.schedule set next_slot = date_trunc('second', now()) - interval '1 year'`;
    const heard = { ...log, warn: (fields: object, message: string) => lines.push({ ...fields, message }) };
    expect(await runDueSlots(db, new Map([[secondly.name, secondly]]), [secondly.name], heard)).toBe(1);
    expect(lines).toMatchObject([{ schedule: 'suite.round', run: 1, message: 'slots passed while no worker knew it' }]);
    const [row] = await db.sql<{ recent: boolean }[]>`
      select last_slot > now() - interval '1 hour' and next_slot > last_slot as recent from jobs.schedule`;
    expect(row?.recent).toBe(true);
  });

  it('refuses a schedule that cannot be run before it writes any', async () => {
    const wrong = [every('* * * * *'), every('99 * * * *', { name: 'suite.wrong' })];
    await expect(registerSchedules(db, wrong)).rejects.toThrow("The schedule 'suite.wrong': its cron expression");
    expect(await db.sql`select name from jobs.schedule`).toEqual([]);
  });

  it('does not let one that fails hold up the others', async () => {
    const broken = every('* * * * *', { name: 'suite.broken', payload: { no: 'such field' } as never });
    const minutely = every('* * * * *');
    await db.sql`insert into jobs.schedule (name, cron, zone, next_slot) values ('suite.broken', '* * * * *', 'UTC', now())`;
    await missed(minutely, 1);
    const known = new Map([broken, minutely].map((schedule) => [schedule.name, schedule]));
    expect(await runDueSlots(db, known, ['suite.broken', 'suite.round'], log)).toBe(1);
  });

  describe('of a module that is off', () => {
    const off = () => runDueSlots(db, new Map(), ['suite.round'], log);
    const rows = () => db.sql`select * from jobs.schedule`;

    it('are not run, and the row is left as it is', async () => {
      await missed(every('* * * * *'), 60);
      const before = await rows();
      expect(await off()).toBe(0);
      await registerSchedules(db, []);
      expect(await rows()).toEqual(before);
      expect(await pendingJobs(db)).toEqual([]);
    });

    it.each([
      ['skip', 0],
      ['one', 1],
      [{ all: 5 }, 5],
    ] as [CatchUp, number][])('are caught up as %j says when it is on again: %d jobs', async (catchUp, jobs) => {
      const rare = every(farFromNow(), { catchUp });
      await missed(rare, 20);
      expect(await off()).toBe(0);
      await registerSchedules(db, [rare]);
      expect(await run(rare)).toBe(jobs);
      expect(await run(rare)).toBe(0);
    });
  });

  describe('of two releases at once', () => {
    const [before, now] = [every('* * * * *'), every('0 0 1 1 *')];
    const cron = async () => (await db.sql<{ cron: string }[]>`select cron from jobs.schedule`)[0]?.cron;

    it('are run by the one whose expression stands in the row', async () => {
      await missed(before, 1);
      await db.sql`update jobs.schedule set next_slot = now()`;
      expect(await run(now)).toBe(0);
      expect(await run(before)).toBe(1);
      expect(await cron()).toBe('* * * * *');
    });

    it('are taken over by the other when nobody of it is left', async () => {
      await missed(before, 2);
      expect(await run(now)).toBe(0);
      expect(await cron()).toBe('0 0 1 1 *');
      const [row] = await db.sql<{ next: string }[]>`select next_slot::text as next from jobs.schedule`;
      expect(new Date(row?.next ?? 0)).toEqual(nextSlot(now, new Date()));
    });
  });
});
