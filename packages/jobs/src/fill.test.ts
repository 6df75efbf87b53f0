import { expect, it } from 'vitest';
import { type DueRow, fill } from './fill.ts';

const row = (lane: string, id: string, more: Partial<DueRow> = {}): DueRow => ({
  id,
  at: id,
  lane,
  name: 'suite.limited',
  version: 1,
  alone: false,
  batch: null,
  concurrency: 1,
  keyed: false,
  ...more,
});
const fleet = { runMs: new Map([['suite.limited', 0.1]]) };
const idsOf = (rows: DueRow[], room: number) =>
  fill(rows, { freePacks: 8, fleet, room: new Map([['suite.limited', room]]) }).packs.map((pack) =>
    pack.rows.map(({ id }) => id),
  );

it('lets nothing of its line overtake a job of a limited kind that must travel alone and finds no room', () => {
  const rows = [row('a', 'a1'), row('b', 'b1', { alone: true }), row('c', 'c1'), row('b', 'b2'), row('c', 'c2')];
  expect(idsOf(rows, 1)).toEqual([['a1', 'c1', 'c2']]);
  expect(idsOf(rows, 2)).toEqual([['a1', 'c1', 'b2', 'c2'], ['b1']]);
});
