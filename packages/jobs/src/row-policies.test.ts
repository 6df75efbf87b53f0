/** What the app's role may see and write of jobs, with SQL of its own: another organisation's work is not there. */
import { randomUUID } from 'node:crypto';
import { sqlOf, withScope, withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { openPatiently, openTestPools } from '@ballast/test-kit/pools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { enqueue } from './enqueue.ts';

const own = '018f0000-0000-7000-8000-000000000001';
const other = '018f0000-0000-7000-8000-000000000002';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({ token: z.string() }) });
/** One of each organisation, in a pack of its own, with a step that is done. */
const jobs = new Map<string, { id: string; packId: string }>();

const { database, db, jobsDb, close } = await openTestPools();

beforeAll(async () => {
  for (const tenant of [own, other]) {
    const id = await withTenant(db, tenant, (tx) => enqueue(tx, task, { token: 'hush' }));
    const packId = randomUUID();
    jobs.set(tenant, { id, packId });
    await jobsDb.sql`
      with gone as (delete from jobs.due where job_id = ${id})
      insert into jobs.pack (id, queue, name, job_ids) values (${packId}, 'default', ${task.name}, ${[id]}::uuid[])`;
    await jobsDb.sql`insert into jobs.step (job_id, key, result) values (${id}, 'first', '1')`;
  }
});
afterAll(close);

const [mine, theirs] = [() => jobs.get(own), () => jobs.get(other)] as [() => Known, () => Known];
type Known = { id: string; packId: string };
const within = <Result>(packId: string | undefined, ask: (sql: ReturnType<typeof sqlOf>) => PromiseLike<Result>) =>
  withScope(db, { tenantId: own, ...(packId ? { packId } : {}) }, async (tx) => ask(sqlOf(tx)));

describe('the app', () => {
  it('sees the jobs of the organisation that it works for, and none without one', async () => {
    expect(await within(undefined, (sql) => sql`select id from jobs.job`)).toEqual([{ id: mine().id }]);
    expect(await withScope(db, {}, (tx) => sqlOf(tx)`select id from jobs.job`)).toEqual([]);
  });

  it.each(['body', 'secrets', 'trace', '*'])('cannot read %s of any job, its own included', async (column) => {
    await expect(within(mine().packId, (sql) => sql.unsafe(`select ${column} from jobs.job`))).rejects.toThrow(
      'permission denied for table job',
    );
  });

  it('sees the pack that it runs, its steps, and no other', async () => {
    const { packId, id } = mine();
    expect(await within(packId, (sql) => sql`select id from jobs.pack`)).toEqual([{ id: packId }]);
    expect(await within(packId, (sql) => sql`select job_id as id from jobs.step`)).toEqual([{ id }]);
    expect(await within(undefined, (sql) => sql`select id from jobs.pack`)).toEqual([]);
    expect(await within(undefined, (sql) => sql`select job_id from jobs.step`)).toEqual([]);
  });

  it('keeps no step of a job that it does not run', async () => {
    const keep = (packId: string, id: string) =>
      within(packId, (sql) => sql`insert into jobs.step (job_id, key) values (${id}, 'second')`);
    await expect(keep(mine().packId, theirs().id)).rejects.toThrow('row-level security');
    await keep(mine().packId, mine().id);
  });

  it('holds no job by the pack of another, nor by a pack that is not its own', async () => {
    const held = (id: string, packId: string) =>
      within(mine().packId, (sql) => sql`select jobs.hold(${[id]}::uuid[], ${packId}) as held`);
    expect(await held(theirs().id, mine().packId)).toEqual([{ held: [] }]);
    expect(await held(theirs().id, theirs().packId)).toEqual([{ held: [] }]);
    expect(await held(mine().id, mine().packId)).toEqual([{ held: [mine().id] }]);
  });

  const [unscoped, scoped] = [() => undefined, () => mine().packId];
  it.each<[string, () => string | undefined, () => string[], () => string]>([
    ['another tenant’s, by its own pack', scoped, () => [theirs().id], () => mine().packId],
    ['another tenant’s, by that one’s pack', scoped, () => [theirs().id], () => theirs().packId],
    ['another tenant’s beside its own', scoped, () => [mine().id, theirs().id], () => mine().packId],
    ['its own by another pack', scoped, () => [mine().id], () => theirs().packId],
    ['none, to end another pack', scoped, () => [], () => theirs().packId],
    ['its own where no job is run', unscoped, () => [mine().id], () => mine().packId],
  ])('completes no job that it does not run, and ends no pack: %s', async (_, scope, ids, packId) => {
    for (const closes of [false, true]) {
      const completed = within(
        scope(),
        (sql) => sql`
          select jobs.complete(${ids()}::uuid[], ${packId()}, ${ids().map(() => 1)}::smallint[], ${closes})`,
      );
      await expect(completed).rejects.toMatchObject({ code: 'BL001' });
    }
    expect(await jobsDb.sql`select from jobs.job where state = 'open'`).toHaveLength(2);
    expect(await jobsDb.sql`select from jobs.pack`).toHaveLength(2);
  });

  it.each([
    "update jobs.job set state = 'done'",
    'delete from jobs.job',
    "insert into jobs.job (id, name, version, queue, lane, priority, attempts, run_at, body) values (gen_random_uuid(), 'x', 1, 'default', gen_random_uuid(), 0, 1, now(), '{}')",
    "update jobs.pack set job_ids = '{}'",
    'delete from jobs.step',
    ...['due', 'later', 'aside', 'key', 'dead', 'failure', 'process', 'act'].flatMap((table) => [
      `select * from jobs.${table}`,
      `delete from jobs.${table}`,
    ]),
  ])('is refused: %s', async (statement) => {
    await expect(within(mine().packId, (sql) => sql.unsafe(statement))).rejects.toThrow('permission denied for table');
  });

  it('reads names and numbers of the fleet, and may not touch them', async () => {
    expect(await within(undefined, (sql) => sql`select id from jobs.fleet`)).toEqual([]);
    for (const table of ['queue', 'schedule', 'epoch', 'kind'])
      await expect(within(undefined, (sql) => sql.unsafe(`delete from jobs.${table}`))).rejects.toThrow(
        'permission denied for table',
      );
  });
});

it('the app completes what it runs, and ends its own pack', async () => {
  const { id, packId } = mine();
  const states = () => jobsDb.sql`select state from jobs.job where id = ${id}`;
  await within(packId, (sql) => sql`select jobs.complete(${[id]}::uuid[], ${packId}, array[1]::smallint[], true)`);
  expect(await states()).toEqual([{ state: 'done' }]);
  expect(await jobsDb.sql`select id from jobs.pack`).toEqual([{ id: theirs().packId }]);
});

it('identity reads nothing of jobs at all', async () => {
  const authDb = openPatiently({ url: database.appUrl, role: 'ballast_auth' });
  for (const table of ['job', 'pack', 'step', 'due'])
    await expect(withScope(authDb, {}, (tx) => sqlOf(tx).unsafe(`select 1 from jobs.${table}`))).rejects.toThrow(
      'permission denied for table',
    );
  await authDb.close();
});
