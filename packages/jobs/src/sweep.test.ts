import { type Database, openDatabase, withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { silentLog } from '@ballast/test-kit/queue';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { enqueue } from './enqueue.ts';
import { sweep } from './sweep.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const runner = '018f0000-0000-7000-8000-0000000000aa';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });

let database: TestDatabase;
let db: Database;
let jobsDb: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({ url: database.appUrl, applicationName: 'suite' });
  jobsDb = openDatabase({ url: database.dispatcherUrl, applicationName: 'suite' });
});
afterAll(async () => {
  await Promise.all([db.close(), jobsDb.close()]);
  await database.drop();
});
beforeEach(async () => {
  await forgetJobs(jobsDb);
  await jobsDb.sql`delete from jobs.process`;
});
afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

/** A job in a pack that `runner` has opened, and a session of the app that runs it. */
async function running(): Promise<{ id: string; packId: string; session: Session }> {
  const id = await withTenant(db, tenant, (tx) => enqueue(tx, task, {}));
  const [pack] = await jobsDb.sql<{ id: string }[]>`
    with gone as (delete from jobs.due)
    insert into jobs.pack (id, queue, name, job_ids, runner_id, opened_at)
    values (gen_random_uuid(), 'default', ${task.name}, array[${id}::uuid], ${runner}, now() - interval '1 minute') returning id`;
  const packId = pack?.id ?? '';
  const session = await openSession();
  await session.client.query('begin');
  await session.client.query('select jobs.hold(array[$1]::uuid[], $2)', [id, packId]);
  return { id, packId, session };
}

interface Session {
  client: pg.Client;
  ended: Promise<unknown>;
}

async function openSession(): Promise<Session> {
  const client = new pg.Client({ connectionString: `${database.appUrl}` });
  const ended = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  // Shorter than the test: what ends the session below is not this.
  await client.query("set idle_in_transaction_session_timeout = '200ms'");
  return { client, ended };
}

/** Stops as a process does that freezes between two messages of one query. */
function stopInsideMessage(session: Session): void {
  const { connection } = session.client as unknown as { connection: { parse(query: object): void; flush(): void } };
  connection.parse({ name: '', text: 'select 1', types: [] });
  connection.flush();
}

const sweepNow = () => sweep({ db: jobsDb, transport: { holds: async () => new Set() }, log: silentLog });
const beat = () => jobsDb.sql`
  insert into jobs.process (id, role, release, host, slots, knows) values (${runner}, 'worker', 'test', 'here', '{}', '{}')`;
const stateOf = async (id: string) => (await jobsDb.sql`select state from jobs.status where id = ${id}`)[0]?.state;

describe('the sweep, beside a session that holds a job', () => {
  it('ends that of a silent runner, which no timeout of sessions would, and returns the job', async () => {
    const { id, session } = await running();
    stopInsideMessage(session);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await stateOf(id)).toBe('dispatched');
    await sweepNow();
    await session.ended;
    await expect
      .poll(async () => ((await sweepNow())?.orphaned ?? 0) + Number((await stateOf(id)) === 'pending'))
      .toBe(1);
    expect(await stateOf(id)).toBe('pending');
  });

  it('leaves that of a living runner alone, and sessions that hold nothing', async () => {
    const other = await openSession();
    const { id, session } = await running();
    stopInsideMessage(session);
    await beat();
    await jobsDb.sql`update jobs.process set packs = array(select id from jobs.pack)`;
    await sweepNow();
    expect(await other.client.query('select 1 as alive')).toMatchObject({ rows: [{ alive: 1 }] });
    expect(await stateOf(id)).toBe('dispatched');
    session.client.end().catch(() => {});
    await other.client.end();
  });
});
