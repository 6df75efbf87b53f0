import { type Database, sqlOf, withScope } from '@ballast/db';
import type { Log } from '@ballast/kernel';

/** How far a run says it is. */
export interface Progress {
  /** Written at once, and then at most once a second: the latest that was said. */
  report(fraction: number, note?: string): void;
  /**
   * Nothing is taken any more. Writes what is not yet written, unless the job is done and
   * nobody will ask; waits for that, but not long: an outcome must not wait for a number.
   */
  end(run: { done: boolean }): Promise<void>;
}

interface ProgressRow {
  id: string;
  packId: string;
  tenantId: string | null;
  attempt: number;
}

const everyMs = 1_000;
const endWithinMs = 2_000;
const maxNoteLength = 200;

/**
 * Kept in transactions of its own, beside the handler's: that one would show it at its
 * commit. The table's policy refuses whoever has lost the job. `text` takes out what
 * must not be said.
 */
export function openProgress(db: Database, row: ProgressRow, log: Log, text: (said: string) => string): Progress {
  let latest: { fraction: number; note: string | null } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> | null = null;
  let ended = false;

  /** One after the other, so that none overtakes a later one. */
  function flush(): void {
    if (latest === null || writing !== null) return;
    const { fraction, note } = latest;
    latest = null;
    writing = write(db, row, fraction, note)
      .catch((error: unknown) => log.debug({ error }, 'progress not written'))
      .finally(() => {
        writing = null;
        // What was said meanwhile is the last of this run.
        if (ended) flush();
      });
  }

  return {
    report(fraction, note) {
      if (!Number.isFinite(fraction) || fraction < 0 || fraction > 1)
        throw new RangeError(`ctx.progress takes a fraction from 0 to 1, and ${fraction} is none.`);
      if (ended) return;
      latest = { fraction, note: note === undefined ? null : text(note).slice(0, maxNoteLength) };
      if (timer !== null) return;
      flush();
      timer = setInterval(() => {
        if (latest !== null) return flush();
        // Quiet for a second: the next report is written at once again.
        if (timer !== null) clearInterval(timer);
        timer = null;
      }, everyMs);
    },
    async end({ done }) {
      ended = true;
      if (timer !== null) clearInterval(timer);
      if (done) {
        latest = null;
        return;
      }
      flush();
      const until = performance.now() + endWithinMs;
      while (writing !== null && performance.now() < until) await within(until - performance.now(), writing);
    },
  };
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

async function write(db: Database, row: ProgressRow, fraction: number, note: string | null): Promise<void> {
  const { id, packId, tenantId, attempt } = row;
  await withScope(db, { tenantId, packId }, async (tx) => {
    await sqlOf(tx)`
      insert into jobs.progress (job_id, attempt, fraction, note) values (${id}, ${attempt}, ${fraction}, ${note})
      on conflict (job_id) do update
      set attempt = excluded.attempt, fraction = excluded.fraction, note = excluded.note, reported_at = now()`;
  });
}
