import type { Database } from '@ballast/db';
import type { Log } from '@ballast/kernel';
import { uuidv7 } from 'uuidv7';
import { returnLost } from './lost.ts';
import { withSweepLock } from './sweep.ts';
import type { Transport } from './transport.ts';

/**
 * The queue's store carries the epoch that Postgres has; one without it, or with
 * another, has lost its data. Only here, under the sweep's lock and after the rows of
 * lost packs have been returned, is a new one written, so that no replica that boots
 * right after a wipe can make it look healthy.
 *
 * @param known Postgres' epoch, as the tick read it.
 * @returns how many rows were returned, or null when nothing was wrong.
 */
export async function keepEpoch(
  db: Database,
  transport: Transport,
  known: string | null,
  log: Log,
): Promise<number | null> {
  if (!transport.epoch) return null;
  if (known !== null && (await transport.epoch.read()) === known) return null;
  const { epoch } = transport;
  return withSweepLock(db, async () => {
    const [row] = await db.sql<{ value: string }[]>`select value from jobs.epoch`;
    // Another process was first.
    if (row && (await epoch.read()) === row.value) return null;
    const returned = await returnLost(db, transport, { settledAfterMs: 0, suspect: false });
    const next = uuidv7();
    await db.sql`
      insert into jobs.epoch (value) values (${next})
      on conflict (single) do update set value = excluded.value, since = now(), losses = epoch.losses + 1`;
    await epoch.write(next);
    if (row) log.error({ returned }, 'the queue’s Redis lost its data; what waited in it was returned to Postgres');
    return returned;
  });
}
