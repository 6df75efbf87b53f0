/** A process that has said its farewell is gone: its slots are nobody's. */
import type { Database } from '@ballast/db';
import { openTestPools } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { afterAll, expect, it } from 'vitest';
import { startHeartbeat } from './heartbeat.ts';

const { jobsDb, close } = await openTestPools();

afterAll(close);

it('is not brought back by a beat that was sent before, and arrives late', async () => {
  const road = Promise.withResolvers<void>();
  let [beats, answered, farewells] = [0, 0, 0];
  const sql = (text: TemplateStringsArray, ...values: never[]) => {
    const statement = text[0] ?? '';
    if (statement.includes('delete from jobs.process')) farewells += 1;
    if (!statement.includes('insert into jobs.process')) return jobsDb.sql(text, ...values);
    beats += 1;
    // The second is long on its way; those behind it overtake it.
    const sent = beats === 2 ? road.promise : Promise.resolve();
    return sent
      .then(() => jobsDb.sql(text, ...values))
      .then((rows) => {
        answered += 1;
        return rows;
      });
  };
  const presence = {
    processId: '018f0000-0000-7000-8000-0000000000aa',
    role: 'worker',
    release: 'test',
    slots: { default: 10 },
    knows: [],
    schedules: [],
    now: () => ({ packs: [], runMs: {} }),
  };
  const processes = async () => (await jobsDb.sql`select 1 from jobs.process`).length;
  // Its statements wait as the test says; the client's type has overloads that no plain function can have.
  const heartbeat = await startHeartbeat({ ...jobsDb, sql } as unknown as Database, presence, silentLog);
  await expect.poll(() => beats >= 3 && answered === beats - 1, { timeout: 60_000 }).toBe(true);
  const farewell = heartbeat.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect([farewells, await processes()]).toEqual([0, 1]);
  road.resolve();
  await farewell;
  expect([answered, farewells, await processes()]).toEqual([beats, 1, 0]);
});
