/** Transactions that Postgres sacrifices: row 23 of the fault table. */
import { queueBackends } from '@ballast/test-kit/queue';
import { describe, expect, test } from 'vitest';
import { goalMs, on, type Stage } from './stage.ts';

const count = 24;

async function openAccounts(stage: Stage): Promise<void> {
  await stage.admin.sql`create table account (id integer primary key, balance integer not null)`;
  await stage.admin.sql`insert into account values (0, 0), (1, 0)`;
  await stage.admin.sql`grant all on account to ballast_app`;
}

/** Every job is done, its effects are there once, and no attempt was charged for a conflict. */
async function allDoneUncharged(stage: Stage): Promise<void> {
  await stage.allDoneOnce(count);
  await stage.startedOnce();
  expect(await stage.db.sql`select id, balance from account order by id`).toEqual([
    { id: 0, balance: count },
    { id: 1, balance: count },
  ]);
}

describe.concurrent.each(queueBackends)('transactions of workers on %s', { timeout: 3 * goalMs }, (backend) => {
  test('that deadlock run again (row 23)', () =>
    on(backend, async (stage) => {
      await openAccounts(stage);
      await stage.admin.sql.unsafe(`alter database ${stage.database.name} set deadlock_timeout = '50ms'`);
      await stage.worker({ FAULT_HANDLER: 'conflict', FAULT_SLOTS: '2' });
      await stage.produce(count);
      await allDoneUncharged(stage);
      const [found] = await stage.admin.sql<{ deadlocks: number }[]>`
        select deadlocks::int from pg_stat_database where datname = current_database()`;
      expect(found?.deadlocks).toBeGreaterThan(0);
    }));
});
