/** Transactions that Postgres sacrifices: row 23 of the fault table. */
import { queueBackends } from '@ballast/test-kit/queue';
import { describe, expect, test, vi } from 'vitest';
import { effect } from './handlers.ts';
import { goalMs, on, type Stage } from './stage.ts';

async function openAccounts(stage: Stage): Promise<void> {
  await stage.admin.sql`create table account (id integer primary key, balance integer not null)`;
  await stage.admin.sql`insert into account values (0, 0), (1, 0)`;
  await stage.admin.sql`grant all on account to ballast_app`;
}

/** Every job is done, its effects are there once, and no attempt was charged for a conflict. */
async function allDoneUncharged(stage: Stage, count: number): Promise<void> {
  await stage.allDoneOnce(count);
  await stage.startedOnce();
  expect(await stage.db.sql`select id, balance from account order by id`).toEqual([
    { id: 0, balance: count },
    { id: 1, balance: count },
  ]);
}

/** The first `times` completions of jobs fail with a conflict that Postgres finds only then. Counts them. */
async function refuseCompletions(stage: Stage, times: number): Promise<() => Promise<number>> {
  await stage.admin.sql.unsafe(`
    create sequence refusal minvalue 0 start 0;
    select nextval('refusal');
    grant all on sequence refusal to public;
    create function refuse() returns trigger language plpgsql as $$
    begin
      if new.state = 'done' and nextval('public.refusal') <= ${times} then
        raise exception 'could not serialize access' using errcode = '40001';
      end if;
      return new;
    end $$;
    create trigger refuse before update on jobs.job for each row execute function refuse();`);
  return async () => {
    const [row] = await stage.admin.sql<{ count: number }[]>`select last_value::int as count from refusal`;
    return row?.count ?? 0;
  };
}

describe.concurrent.each(queueBackends)('transactions of workers on %s', { timeout: 5 * goalMs }, (backend) => {
  test('that deadlock run again (row 23)', () =>
    on(backend, async (stage) => {
      const count = 12;
      await openAccounts(stage);
      await stage.admin.sql.unsafe(`alter database ${stage.database.name} set deadlock_timeout = '50ms'`);
      await stage.worker({ FAULT_HANDLER: 'conflict', FAULT_SLOTS: '2' });
      // Two at a time: the one that loses finds nobody in its way when it runs again.
      for (let made = 0; made < count; made += 2) {
        await stage.produce(2, { from: made });
        await stage.allDone(made + 2);
      }
      await allDoneUncharged(stage, count);
      // A session reports what it has counted a second later at the earliest, and ten at the latest.
      const met = async () => {
        const [found] = await stage.admin.sql<{ deadlocks: number }[]>`
          select deadlocks::int from pg_stat_database where datname = current_database()`;
        expect(found?.deadlocks).toBeGreaterThan(0);
      };
      await vi.waitFor(met, { timeout: goalMs, interval: 500 });
    }));

  test('that cannot be serialized run again (row 23)', () =>
    on(backend, async (stage) => {
      await openAccounts(stage);
      await stage.admin.sql`create sequence try`;
      await stage.admin.sql`grant all on sequence try to ballast_app`;
      const setting = `in database ${stage.database.name} set default_transaction_isolation = 'repeatable read'`;
      await stage.admin.sql.unsafe(`alter role ballast_app ${setting}`);
      await stage.worker({ FAULT_HANDLER: 'serialize', FAULT_SLOTS: '2' });
      // Two at a time: the one that loses finds nobody in its way when it runs again.
      for (let pair = 0; pair < 3; pair++) {
        await stage.produce(2, { from: 2 * pair });
        await stage.allDone(2 * (pair + 1));
      }
      await allDoneUncharged(stage, 6);
      const [tries] = await stage.admin.sql<{ count: number }[]>`select last_value::int as count from try`;
      expect(tries?.count).toBeGreaterThan(6);
    }));

  test('whose conflict shows at the job’s completion run again, uncharged (row 23)', () =>
    on(backend, async (stage) => {
      const completions = await refuseCompletions(stage, 3);
      await stage.worker();
      await stage.produce(6);
      await stage.allDoneOnce(6);
      await stage.startedOnce();
      expect(await completions()).toBe(9);
    }));

  test('that conflict for ever are given up: five tries for each attempt (row 23)', () =>
    on(backend, async (stage) => {
      const completions = await refuseCompletions(stage, 1_000_000);
      await stage.worker();
      await stage.produce(1);
      await vi.waitFor(async () => expect(await stage.states()).toEqual({ dead: 1 }), { timeout: goalMs });
      expect(await completions()).toBe(5 * effect.attempts);
      expect(await stage.db.sql`select n from effect`).toEqual([]);
    }));
});
