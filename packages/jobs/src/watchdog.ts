import type { Database } from '@ballast/db';
import type { Log } from '@ballast/kernel';
import type { Transport } from './transport.ts';

export interface WatchdogOptions {
  db: Database;
  transport: Pick<Transport, 'holds'>;
  log: Log;
  /** Queues in which this process has free slots and has taken nothing for `idleMs`. */
  idleQueues(idleMs: number): string[];
  /** Ends the process; its supervisor starts a new one. */
  onWedged(): void;
  idleMs?: number;
  everyMs?: number;
}

/**
 * Ends a worker that has stopped taking packs without noticing. BullMQ has left
 * workers silently wedged after outages (issues 4378, 4479 and 4585 of its
 * repository); whatever the reason, free slots beside a pack that has waited in the queue
 * for thirty seconds, with both stores answering, is never right. What another worker took and does
 * not open waits for that one: the sweep returns it.
 *
 * Only of a process that was awake all the while: after a freeze, or a handler that kept
 * the event loop, packs have waited for it too, and it takes them in the next moment.
 */
export function startWatchdog(options: WatchdogOptions): { close(): void } {
  const { log, idleMs = 30_000, everyMs = 5_000 } = options;
  let tickedAt = performance.now();
  let awakeSince = tickedAt;
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - tickedAt > 2 * everyMs) awakeSince = now;
    tickedAt = now;
    if (now - awakeSince < idleMs) return;
    isWedged(options, idleMs).then(
      (queue) => {
        if (queue === null) return;
        clearInterval(timer);
        log.error({ queue, idleMs }, 'packs wait and this worker takes none; it ends so that a new one starts');
        options.onWedged();
      },
      // A store that does not answer explains the idleness.
      () => {},
    );
  }, everyMs);
  return { close: () => clearInterval(timer) };
}

async function isWedged({ db, transport, idleQueues }: WatchdogOptions, idleMs: number): Promise<string | null> {
  for (const queue of idleQueues(idleMs)) {
    // The last handed out: what another took came before what waits.
    const packs = await db.sql<{ id: string }[]>`
      select id from jobs.pack
      where queue = ${queue} and runner_id is null and dispatched_at < now() - ${idleMs} * interval '1 millisecond'
        and not exists (select 1 from jobs.queue where queue.name = pack.queue and paused_at is not null)
      order by dispatched_at desc limit 5`;
    if (packs.length === 0) continue;
    const waiting = await transport.holds(
      queue,
      packs.map((pack) => pack.id),
      'waiting',
    );
    // Unless it was taken while that was asked.
    if (waiting.size > 0 && idleQueues(idleMs).includes(queue)) return queue;
  }
  return null;
}
