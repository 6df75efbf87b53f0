import { defineJob, defineSchedule, type ScheduleDefinition } from '@ballast/kernel';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { latestSlots, nextSlot, scheduleProblems } from './slots.ts';

const berlin = { cron: '30 2 * * *', zone: 'Europe/Berlin' };
const half = { cron: '*/30 * * * *', zone: 'Europe/Berlin' };

describe('nextSlot', () => {
  const after = (moment: string, rhythm = berlin) => nextSlot(rhythm, new Date(moment))?.toISOString();

  it('runs a slot that daylight saving skips when the gap ends', () => {
    expect(after('2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(after('2026-03-29T01:00:00Z')).toBe('2026-03-30T00:30:00.000Z');
  });

  it('runs a slot that daylight saving repeats once', () => {
    expect(after('2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(after('2026-10-25T00:30:00Z')).toBe('2026-10-26T01:30:00.000Z');
  });

  it('keeps an interval through the skipped hour, without a slot for what was not', () => {
    expect(after('2026-03-29T00:30:00Z', half)).toBe('2026-03-29T01:00:00.000Z');
    expect(after('2026-03-29T01:00:00Z', half)).toBe('2026-03-29T01:30:00.000Z');
  });

  it('counts in the zone, on both sides of the equator', () => {
    expect(after('2026-10-03T12:00:00Z', { cron: '30 2 * * *', zone: 'Australia/Sydney' })).toBe(
      '2026-10-03T16:00:00.000Z',
    );
    expect(after('2026-04-04T12:00:00Z', { cron: '30 2 * * *', zone: 'Australia/Sydney' })).toBe(
      '2026-04-04T15:30:00.000Z',
    );
    expect(after('2026-04-04T15:30:00Z', { cron: '30 2 * * *', zone: 'Australia/Sydney' })).toBe(
      '2026-04-05T16:30:00.000Z',
    );
  });

  it('keeps an interval through the repeated hour', () => {
    expect(after('2026-10-25T00:30:00Z', half)).toBe('2026-10-25T01:00:00.000Z');
    expect(after('2026-10-25T01:00:00Z', half)).toBe('2026-10-25T01:30:00.000Z');
  });
});

describe('latestSlots', () => {
  /** The same by stepping forward from slot to slot. */
  function stepped(rhythm: { cron: string; zone: string }, from: Date, to: Date, most: number): Date[] {
    const slots: Date[] = [];
    let slot = nextSlot(rhythm, new Date(from.getTime() - 1));
    while (slot && slot <= to) {
      slots.push(slot);
      slot = nextSlot(rhythm, slot);
    }
    return slots.slice(-most);
  }

  it.each([
    ['2026-03-28T20:00:00Z', '2026-03-29T06:00:00Z'],
    ['2026-10-24T20:00:00Z', '2026-10-25T06:00:00Z'],
  ])('are those that nextSlot steps over, from %s on', (from, to) => {
    for (const rhythm of [berlin, half, { cron: '7 1-3 * * *', zone: 'America/New_York' }]) {
      for (let now = Date.parse(from); now <= Date.parse(to); now += 11 * 60_000 + 1) {
        const given = [rhythm, new Date(from), new Date(now), 3] as const;
        expect(latestSlots(...given), `${rhythm.cron} at ${new Date(now).toISOString()}`).toEqual(stepped(...given));
      }
    }
  });

  it('include both ends', () => {
    const [from, to] = [new Date('2026-05-01T10:00:00Z'), new Date('2026-05-01T10:30:00Z')];
    expect(latestSlots(half, from, to, 5)).toEqual([from, to]);
  });

  it('of a year of seconds are found without stepping through it', () => {
    const secondly = { cron: '* * * * * *', zone: 'UTC' };
    const [from, to] = [new Date('2025-05-01T10:00:00Z'), new Date('2026-05-01T10:00:00Z')];
    const slots = latestSlots(secondly, from, to, 2);
    expect(slots.map((slot) => slot.toISOString())).toEqual(['2026-05-01T09:59:59.000Z', '2026-05-01T10:00:00.000Z']);
  });
});

describe('scheduleProblems', () => {
  const tidy = defineJob({ name: 'suite.tidy', payload: z.strictObject({ days: z.int() }) });
  const problems = (more: Partial<ScheduleDefinition<{ days: number }>>) =>
    scheduleProblems(
      defineSchedule({ name: 'suite.round', job: tidy, payload: { days: 3 }, cron: '0 3 * * *', ...more }) as never,
    );

  it('are none of a schedule that can be run', () => {
    for (const good of [{}, { cron: '*/5 0 3 * * 1-5' }, { zone: 'Europe/Berlin' }, { catchUp: { all: 10 } }]) {
      expect(problems(good)).toEqual([]);
    }
  });

  it.each([
    [{ cron: '99 * * * *' }, "its cron expression '99 * * * *' cannot be read: Invalid value for minute: 99."],
    [{ cron: 'often' }, "its cron expression 'often' must have five fields, or six with seconds in front."],
    [{ cron: '@daily' }, 'must have five fields'],
    [{ cron: '0 0 30 2 *' }, "its cron expression '0 0 30 2 *' never comes round."],
    [{ zone: 'Europe/Berln' }, "its time zone 'Europe/Berln' is unknown, did you mean 'Europe/Berlin'?"],
    [{ zone: 'Mars/Olympus' }, "its time zone 'Mars/Olympus' is unknown."],
    [{ payload: { days: 1.5 } }, "its payload does not fit the job 'suite.tidy': days: "],
    [{ catchUp: { all: 0 } }, 'catchUp.all must be a whole number from 1 to 1000, not 0.'],
  ])('%j: %s', (more, sentence) => {
    expect(problems(more)).toEqual([expect.stringContaining(sentence)]);
  });
});
