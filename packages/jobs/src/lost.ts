import type { Database } from '@ballast/db';
import { returnPacks } from './line-up.ts';
import { unopened } from './suspects.ts';
import type { Transport } from './transport.ts';

/** Packs that workers took from the queue and have not opened, as one process sees them from look to look. */
export interface TakenPacks {
  /**
   * Of packs that nobody has opened and the queue holds, by queue, those that a worker has had for too long;
   * they are no longer the queue's. Each look must be told of all of them.
   */
  takeBack(held: ReadonlyMap<string, readonly string[]>): Promise<string[]>;
}

export interface LostOptions {
  /** A pack younger than this may be on its way to the queue. */
  settledAfterMs: number;
  /** Whether a worker may have died under what the queue does not know. */
  suspect: boolean;
  /** Without it, what a worker has taken is left to that worker. */
  taken?: TakenPacks | undefined;
}

/** In one statement. All of them are looked at: those that wait rightly must not stand in front of those that are lost. */
const packsAtOnce = 1_000;
const front = '00000000-0000-0000-0000-000000000000';

/**
 * From the moment when a worker takes a pack to the beat that names it: the few packs taken before it
 * (`pack-consumer.ts`), a beat of three seconds, and a machine that is busy. A little less than three sweeps.
 */
const namedAfterMs = 14_000;

/**
 * Rows that wait in a pack of which the queue knows nothing: wiped, lost with its
 * tail, never added, or taken by a worker that died under it. Uncharged; where the
 * last is possible (`suspect`) they travel alone from now on.
 *
 * And those of a pack that a worker took and cannot open: cut off from Postgres but not from
 * Redis, it renews the lock for as long as the cut lasts, while others idle. Nobody
 * has begun them and nobody has died, so they are not suspect. Should the opening be on its
 * way, it finds no pack.
 */
export async function returnLost(
  db: Database,
  transport: Pick<Transport, 'holds'>,
  { settledAfterMs, suspect, taken }: LostOptions,
): Promise<number> {
  const heldPacks = new Map<string, string[]>();
  let returned = 0;
  let after = front;
  for (;;) {
    const packs = await db.sql<{ queue: string; id: string }[]>`
      select queue, id from jobs.pack where ${unopened(db.sql, settledAfterMs)} and id > ${after}
      order by id limit ${packsAtOnce}`;
    for (const [queue, of] of Map.groupBy(packs, (pack) => pack.queue)) {
      const ids = of.map((pack) => pack.id);
      const held = await transport.holds(queue, ids);
      const lost = ids.filter((id) => !held.has(id));
      if (lost.length > 0) returned += await returnPacks(db.sql, lost, suspect);
      heldPacks.set(queue, [...(heldPacks.get(queue) ?? []), ...held]);
    }
    after = packs.at(-1)?.id ?? after;
    if (packs.length < packsAtOnce) break;
  }
  const unbegun = (await taken?.takeBack(heldPacks)) ?? [];
  if (unbegun.length > 0) returned += await returnPacks(db.sql, unbegun, false);
  return returned;
}

/**
 * Two looks are needed: a pack that waited long may have been taken a moment ago. A queue never puts
 * back what was taken, so what two looks saw taken was so all the time between them.
 */
export function openTaken(transport: Pick<Transport, 'holds' | 'drop'>, tookTooLongMs = namedAfterMs): TakenPacks {
  let seenSince = new Map<string, number>();
  return {
    async takeBack(held) {
      const still = new Map<string, number>();
      const tooLong: string[] = [];
      for (const [queue, ids] of held) {
        const now = performance.now();
        for (const id of await transport.holds(queue, ids, 'active')) still.set(id, seenSince.get(id) ?? now);
        const unbegun = ids.filter((id) => now - (still.get(id) ?? now) >= tookTooLongMs);
        // Before its rows go back: what is left of a worker that dies here is a pack that the queue does not know.
        if (unbegun.length > 0) await transport.drop(queue, unbegun);
        tooLong.push(...unbegun);
      }
      seenSince = still;
      return tooLong;
    },
  };
}
