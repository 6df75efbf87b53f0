/**
 * Chance in the fault tests: how much, how long, when the fault strikes. Each play has
 * its own from the run's seed, so that plays beside each other do not disturb it.
 * `BALLAST_SEED` replays a run.
 */
import { setTimeout as pause } from 'node:timers/promises';

export const seed = Number(process.env.BALLAST_SEED ?? Math.floor(Math.random() * 2 ** 31));

export interface Chance {
  /** From 1 to `most`. */
  upTo(most: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** Waits for up to so long: the moment of the fault. */
  moment(mostMs: number): Promise<void>;
}

/** @param play its name: with the seed, it decides everything. */
export function chanceOf(play: string): Chance {
  process.stdout.write(`${play}: BALLAST_SEED=${seed}\n`);
  const random = randomOf([...play].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), seed));
  const upTo = (most: number) => 1 + Math.floor(random() * most);
  return {
    upTo,
    pick: (items) => items[upTo(items.length) - 1] as (typeof items)[number],
    moment: (mostMs) => pause(upTo(mostMs)),
  };
}

/** Mulberry32: small, and the same everywhere. */
function randomOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
