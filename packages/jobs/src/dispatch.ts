/**
 * The dispatcher moves due rows to the queue: claim under a fresh pack id, commit,
 * and only then add, so that no transaction is open during the queue's I/O. Any
 * number of dispatchers may run.
 *
 * @example
 * const dispatcher = startDispatcher({ db, transport, log });
 * await dispatcher.close();
 */
import type { Database } from '@ballast/db';
import type { Log, ScheduleDefinition } from '@ballast/kernel';
import { claim } from './claim.ts';
import { claimFew } from './claim-few.ts';
import { wakeChannel } from './enqueue.ts';
import { keepEpoch } from './epoch.ts';
import { failpoint } from './failpoint.ts';
import { fewestToLookAt, type Pack, rowsToLookAt } from './fill.ts';
import { returnPacks } from './line-up.ts';
import { lineUpRipe, look, type View } from './look.ts';
import type { JobObserver } from './observe.ts';
import { runDueSlots } from './schedule.ts';
import type { Transport } from './transport.ts';

export interface DispatcherOptions {
  /** As the dispatcher's role. */
  db: Database;
  transport: Transport;
  log: Log;
  /** By name: whose slots this process can insert. */
  schedules?: ReadonlyMap<string, ScheduleDefinition>;
  /** How long an announcement may be lost before the rows are found anyway. */
  pollEveryMs?: number;
  observe?: JobObserver | undefined;
}

export interface Dispatcher {
  /** Looks for due rows now. */
  wake(): void;
  /** A pack has ended: looks again when the last look left rows behind for want of slots. */
  slotFreed(): void;
  /** Claims no more; resolves when the round under way has ended. */
  close(): Promise<void>;
}

/** The wait after a failed round doubles up to this. */
const maxPauseMs = 5_000;

/**
 * A round takes some milliseconds, and this long only on its way over dead entries: while somebody holds a snapshot, a backup for one,
 * vacuum can remove nothing, and after ten minutes of a thousand jobs a second 600,000 of them stand before what
 * is due. Announcements would make every dispatcher step over them again at once and all the time; resting as long as a round took, it uses
 * half a processor at most, and what comes meanwhile travels together.
 */
const slowRoundMs = 40;
const longestRestMs = 500;

/** Starts to dispatch: at each announcement, and every `pollEveryMs` besides. */
export function startDispatcher(options: DispatcherOptions): Dispatcher {
  const { db, log, pollEveryMs = 1_000 } = options;
  const memory: Memory = {
    lanes: new Map(),
    passes: new Map(),
    turns: new Map(),
    rowsPerPack: new Map(),
    idle: new Set(),
    room: new Map(),
    view: null,
    lookedAt: Number.NEGATIVE_INFINITY,
    epochSeenAt: Number.NEGATIVE_INFINITY,
  };
  let closing = false;
  let woken = false;
  let interrupt = (_: Waker) => {};
  let failures = 0;
  let starved = false;
  /** A pack has ended since the round under way began: it may have been counted before. */
  let freed = false;

  const wake = (by: Waker) => {
    woken = true;
    interrupt(by);
  };
  const announce = () => wake('announced');
  const listening = db.sql.listen(wakeChannel, announce, announce).catch((error: Error) => {
    // The poll finds what nobody announces.
    log.warn({ error: error.message }, 'dispatcher cannot listen');
    return null;
  });

  async function loop(): Promise<void> {
    while (!closing) {
      const announced = woken;
      woken = false;
      let pauseMs = pollEveryMs;
      try {
        if (announced) await handAtOnce(options, memory);
        const beganAt = performance.now();
        freed = false;
        const found = await round(options, memory, announced);
        const tookMs = performance.now() - beganAt;
        starved = found.starved;
        failures = 0;
        const restMs = (ms: number) => Math.min(ms, longestRestMs, found.nextInMs ?? longestRestMs);
        if (found.drained && tookMs > slowRoundMs && !closing) {
          await pause(restMs(tookMs), ['closing']);
          continue;
        }
        if (starved && freed) woken = true;
        else if (found.vainMs > slowRoundMs && !closing) await pause(restMs(found.vainMs), ['freed', 'closing']);
        if (found.nextInMs) pauseMs = Math.min(pollEveryMs, Math.ceil(found.nextInMs) + 1);
        if (found.more) continue;
      } catch (error) {
        failures += 1;
        pauseMs = Math.min(maxPauseMs, 100 * 2 ** failures);
        log.warn({ error: (error as Error).message, pauseMs }, 'dispatch failed; rows wait in Postgres');
        // Announcements do not end it: under load there is one at any moment, and each try claims rows and gives them back.
        if (!closing) await pause(pauseMs, ['closing']);
        continue;
      }
      if (!closing && !woken) await pause(pauseMs, ['announced', 'freed', 'closing']);
    }
  }

  function pause(ms: number, endedBy: readonly Waker[]): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      interrupt = (waker) => {
        if (!endedBy.includes(waker)) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const running = loop();
  return {
    wake: announce,
    slotFreed() {
      freed = true;
      if (starved) wake('freed');
    },
    async close() {
      closing = true;
      wake('closing');
      await running;
      await (await listening)?.unlisten().catch(() => {});
    },
  };
}

/** What can end a pause. */
type Waker = 'announced' | 'freed' | 'closing';

interface Found {
  /** More may be due that can be claimed at once. */
  more: boolean;
  /** Rows may wait for which no slot was free. */
  starved: boolean;
  /** Something was due, and all of it is handed out. */
  drained: boolean;
  /** How long a pass over all lanes took that has just come round and found nothing to hand out; 0 when none has. */
  vainMs: number;
  /** Until the next job's time comes; null when none waits for its time. */
  nextInMs: number | null;
}

/** One walk over all lanes of a queue, in as many claims as it takes. */
interface Pass {
  beganAt: number;
  /** Something was handed out. */
  took: boolean;
  /** Something may have lined up behind its back. */
  news: boolean;
  /** Rows were left behind. */
  left: boolean;
}

/** What a dispatcher remembers between rounds. */
interface Memory {
  /** Per queue, the lane behind which the next claim goes on. */
  lanes: Map<string, string | null>;
  /** Per queue, what the claims have seen since the last one that began at the first lane. */
  passes: Map<string, Pass>;
  /** Whose turn is next, of each limited kind. */
  turns: Map<string, string | null>;
  /** Per queue, how many rows the next claim looks at for each pack. */
  rowsPerPack: Map<string, number>;
  /** Queues in which nothing was due when it was last looked, or whose last claim left nothing. */
  idle: Set<string>;
  /** Per queue, how many packs may be added before it is asked again how many are under way. */
  room: Map<string, number>;
  /** The last look, and when. */
  view: View | null;
  lookedAt: number;
  epochSeenAt: number;
}

/** Who lives and what they know changes no faster than this; what is paused is asked at each claim. */
const viewGoodForMs = 1_000;
/** More queues than this, and one look at all of them costs less than a claim in each. */
const mostQueuesAtOnce = 3;

/**
 * The first thing after an announcement, while all queues are idle: claims what little is
 * due, by what the last look saw, and hands it out. The look, which finds everything else
 * that was announced, comes after it: nobody waits for that any more.
 */
async function handAtOnce(options: DispatcherOptions, memory: Memory): Promise<void> {
  const { view, room, idle } = memory;
  const now = performance.now();
  if (!view || now - memory.lookedAt > viewGoodForMs || now - memory.epochSeenAt > epochEveryMs) return;
  const queues = [...view.fleet.slots.keys()];
  if (queues.length > mostQueuesAtOnce || !queues.every((queue) => idle.has(queue) && (room.get(queue) ?? 0) > 0))
    return;
  const claims = queues.map(async (queue) => {
    const freePacks = room.get(queue) ?? 0;
    const packs = await claimFew(options.db, { queue, freePacks, fleet: view.fleet, unasked: true });
    // More than a few, or not only plain ones: they are left to the usual claim.
    if (packs === null) idle.delete(queue);
    if (!packs || packs.length === 0) return;
    room.set(queue, freePacks - packs.length);
    await failpoint('dispatch.marked');
    await hand(options, queue, packs);
  });
  const failed = (await Promise.allSettled(claims)).find((ended) => ended.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Under load rounds follow each other at once; a wipe need not be known sooner than this. */
const epochEveryMs = 1_000;

/**
 * One look at every queue. `announced`: something is probably due, most likely where it was
 * before, and how much is under way there can be asked meanwhile.
 */
async function round(options: DispatcherOptions, memory: Memory, announced: boolean): Promise<Found> {
  const inFlight = askAhead(options.transport, announced ? memory.lanes.keys() : []);
  const view = await look(options.db);
  memory.view = view;
  memory.lookedAt = performance.now();
  const { fleet, dueSchedules, epoch } = view;
  const found: Found = {
    more: false,
    starved: false,
    drained: view.waiting.length > 0,
    vainMs: 0,
    nextInMs: view.nextInMs,
  };
  if (dueSchedules.length > 0 && options.schedules) {
    const inserted = await runDueSlots(options.db, options.schedules, dueSchedules, options.log);
    found.more = inserted > 0;
  }
  // They are claimed in the next round, which follows at once.
  if (view.nextInMs === 0) found.more = (await lineUpRipe(options.db)) > 0 || found.more;
  // Whether the store is still the one that holds the rest of what was handed out.
  if (performance.now() - memory.epochSeenAt >= epochEveryMs) {
    const returned = await keepEpoch(options.db, options.transport, epoch, options.log);
    memory.epochSeenAt = performance.now();
    if (returned) {
      found.more = true;
      options.observe?.repaired('wiped', returned);
    }
  }
  // What is new may be in a lane that a pass under way has left behind.
  if (announced || found.more) for (const pass of memory.passes.values()) pass.news = true;
  for (const [queue, slots] of fleet.slots) {
    if (view.waiting.includes(queue)) continue;
    memory.idle.add(queue);
    // Asked already, and answered meanwhile; a store that does not answer has no room.
    if (announced)
      memory.room.set(
        queue,
        await inFlight(queue).then(
          (packs) => slots * 2 - packs,
          () => 0,
        ),
      );
  }
  for (const queue of view.waiting) {
    // Twice the slots keeps every worker busy; the rest of the backlog waits in Postgres.
    const freePacks = (fleet.slots.get(queue) ?? 0) * 2 - (await inFlight(queue));
    if (freePacks <= 0) {
      found.starved = true;
      found.drained = false;
      continue;
    }
    const afterLane = memory.lanes.get(queue) ?? null;
    const rowsPerPack = memory.rowsPerPack.get(queue) ?? fewestToLookAt;
    const idle = memory.idle.has(queue);
    const { turns } = memory;
    const pass = passOf(memory, queue, afterLane);
    const claimed = await claim(options.db, { queue, freePacks, rowsPerPack, fleet, afterLane, turns, idle });
    const { packs, lastLane, clear } = claimed;
    found.drained &&= claimed.drained;
    memory.lanes.set(queue, lastLane);
    for (const [kind, lane] of claimed.turns) turns.set(kind, lane);
    memory.room.set(queue, freePacks - packs.length);
    if (clear || packs.length === 0) memory.idle.add(queue);
    else memory.idle.delete(queue);
    if (packs.length > 0) memory.rowsPerPack.set(queue, rowsToLookAt(packs));
    pass.took ||= packs.length > 0;
    pass.left ||= claimed.left;
    await failpoint('dispatch.marked');
    if (packs.length > 0) await hand(options, queue, packs);
    // What is left waits for a slot, or for the limit of its kind.
    if (pass.left) found.starved = true;
    if (packs.length >= freePacks) found.starved = true;
    else if (!clear) {
      // Lanes lie behind the cursor, or the next pass may find more. Whoever commits after a claim that took everything announces
      // it. To begin anew after a pass in vain would keep every dispatcher claiming for as long as a kind is at its limit.
      found.more ||= lastLane !== null || pass.took || pass.news;
      if (lastLane === null && !pass.took) found.vainMs = performance.now() - pass.beganAt;
    }
  }
  return found;
}

/** The pass that a claim behind this lane belongs to. */
function passOf({ passes }: Memory, queue: string, afterLane: string | null): Pass {
  const pass = afterLane === null ? undefined : passes.get(queue);
  if (pass) return pass;
  const begun = { beganAt: performance.now(), took: false, news: afterLane !== null, left: false };
  passes.set(queue, begun);
  return begun;
}

/** How many packs of a queue are under way; of these queues it is asked at once. */
function askAhead(transport: Transport, queues: Iterable<string>): (queue: string) => Promise<number> {
  const asked = new Map([...queues].map((queue) => [queue, transport.inFlight(queue)]));
  // Whoever waits for it is told; when nobody does, the next round asks again.
  for (const answer of asked.values()) answer.catch(() => {});
  return (queue) => asked.get(queue) ?? transport.inFlight(queue);
}

async function hand(options: DispatcherOptions, queue: string, packs: readonly Pack[]): Promise<void> {
  const { db, transport } = options;
  const packIds = packs.map((pack) => pack.id);
  try {
    await transport.add(queue, packIds);
  } catch (cause) {
    // Should the queue have taken them after all, a worker finds no rows and discards the pack.
    await returnPacks(db.sql, packIds, false);
    throw cause;
  }
  for (const pack of packs) options.observe?.dispatched({ name: pack.name, queue }, pack.rows.length);
}
