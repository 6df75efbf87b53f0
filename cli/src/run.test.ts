import { type Database, withTenant } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import { forgetJobs } from '@ballast/jobs/testing';
import { defineJob } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { list } from './jobs/list.ts';
import { run } from './run.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const nobody = '018f0000-0000-7000-8000-0000000000ff';
const task = defineJob({ name: 'suite.send-mail', payload: z.strictObject({ to: z.string() }), attempts: 3 });

const { database, db, jobsDb, close } = await openTestPools();

beforeAll(async () => {
  await jobsDb.sql`insert into jobs.kind (name, version) values ('suite.send-mail', 1)`;
});
afterAll(close);
beforeEach(async () => {
  await forgetJobs(jobsDb);
  await jobsDb.sql`delete from jobs.queue`;
});

async function ballast(...words: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(words, {
    root: '/nowhere',
    env: { DATABASE_DISPATCHER_URL: database.dispatcherUrl },
    secretsDirectory: '/nowhere',
    out: (text) => out.push(text),
    err: (text) => err.push(text),
  });
  return { code, out: out.join('\n'), err: err.join('\n'), json: () => JSON.parse(out.join('\n')) };
}

const add = (options = {}) => withTenant(db, tenant, (tx) => enqueue(tx, task, { to: 'a@acme.test' }, options));

async function addDead(message: string) {
  const id = await add();
  await jobsDb.sql`delete from jobs.due where job_id = ${id}`;
  await jobsDb.sql`update jobs.job set state = 'dead', attempt = 3, ended_at = now() where id = ${id}`;
  await jobsDb.sql`insert into jobs.dead (job_id, queue, name) select id, queue, name from jobs.job where id = ${id}`;
  await jobsDb.sql`insert into jobs.failure (job_id, attempt, message) values (${id}, 3, ${message})`;
  return id;
}

describe('jobs list', () => {
  it('shows an aligned table, the newest first, and keeps a failure from moving the cursor', async () => {
    const dead = await addDead('mail.refused: 550\r\n\u001b[2Jno such user');
    const later = await add({ runAt: new Date(Date.now() + 7_300_000) });
    const { code, out } = await ballast('jobs', 'list');
    expect(code).toBe(0);
    const [head, first, second] = out.split('\n');
    expect(first).toContain(later);
    expect(first).toContain('in 2 h');
    expect(second).toContain(dead);
    expect(second).toContain('mail.refused: 550 [2Jno such user');
    for (const line of [first, second]) expect(line?.indexOf('suite.send-mail')).toBe(head?.indexOf('JOB'));
  });

  it('filters, limits, and speaks JSON with moments that every program reads', async () => {
    const dead = await addDead('refused');
    await add();
    await add({ tenant });
    const { code, json } = await ballast('jobs', 'list', '--state', 'dead', '--json');
    expect(code).toBe(0);
    expect(json()).toMatchObject([{ id: dead, state: 'dead', attempt: 3, attempts: 3, failure: 'refused' }]);
    expect(json()[0].createdAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect((await ballast('jobs', 'list', '--tenant', tenant, '--json')).json()).toHaveLength(3);
    const limited = await ballast('jobs', 'list', '--limit', '1');
    expect(limited.out.split('\n')).toHaveLength(2);
    expect(limited.err).toBe('The newest 1; --limit shows more.');
  });

  it('finds nothing with 1, and names the job or queue that was meant', async () => {
    expect(await ballast('jobs', 'list', '--json')).toMatchObject({ code: 1, out: '[]', err: 'No such jobs.' });
    const mistyped = await ballast('jobs', 'list', '--name', 'suite.send-mial');
    expect(mistyped).toMatchObject({ code: 2, out: '' });
    expect(mistyped.err).toContain('unknown job "suite.send-mial", did you mean suite.send-mail?');
  });
});

describe('the progress of a job', () => {
  async function running(fraction: number, note: string | null) {
    const id = await add();
    await jobsDb.sql`delete from jobs.due where job_id = ${id}`;
    await jobsDb.sql`
      insert into jobs.pack (id, queue, name, job_ids) values (${nobody}, 'default', ${task.name}, ${[id]}::uuid[])`;
    await jobsDb.sql`insert into jobs.progress (job_id, attempt, fraction, note) values (${id}, 1, ${fraction}, ${note})`;
    return id;
  }

  it('is listed while it runs, and shown with what it says of it', async () => {
    await add();
    expect((await ballast('jobs', 'list')).out).not.toContain('PROGRESS');
    const id = await running(0.999, 'row 29\u001b[2J of 30');
    const [titles = '', ...rows] = (await ballast('jobs', 'list')).out.split('\n');
    expect(titles).toMatch(/STARTS +PROGRESS +QUEUE/);
    expect(rows.find((row) => row.includes(id))).toMatch(/dispatched +0\/3 +99 % +default/);
    expect((await ballast('jobs', 'show', id)).out).toMatch(
      /\nprogress +99 % in start 1, (now|\d+ s ago): row 29 \[2J of 30\n/,
    );
    expect((await ballast('jobs', 'show', id, '--json')).json()).toMatchObject({
      progress: { fraction: 0.999, attempt: 1, at: expect.stringMatching(/Z$/) },
    });
  });
});

describe('jobs show', () => {
  it('shows payload and failures', async () => {
    const id = await addDead('refused');
    const { code, out } = await ballast('jobs', 'show', id);
    expect(code).toBe(0);
    expect(out).toContain(`organisation  ${tenant}`);
    expect(out).toContain('payload       {"to":"a@acme.test"}');
    expect(out).toMatch(/\n {2}3\. \S+Z {2}refused$/);
    expect((await ballast('jobs', 'show', id, '--json')).json()).toMatchObject({
      payload: { to: 'a@acme.test' },
      failures: [{ attempt: 3, message: 'refused' }],
    });
  });

  it('says that there is none', async () => {
    expect(await ballast('jobs', 'show', nobody, '--json')).toMatchObject({
      code: 1,
      out: 'null',
      err: `There is no job ${nobody}.`,
    });
  });
});

describe('what changes jobs', () => {
  it('retries one, or all of a name, and says why not', async () => {
    const [one, two] = [await addDead('refused'), await addDead('refused')];
    expect(await ballast('jobs', 'retry', one)).toMatchObject({ code: 0, out: 'One job waits to run again.' });
    expect(await ballast('jobs', 'retry', one)).toMatchObject({
      code: 1,
      err: 'The job is pending: only a dead or cancelled one can be run again.',
    });
    expect((await ballast('jobs', 'retry', '--name', task.name, '--json')).json()).toEqual({ retried: 1 });
    expect((await ballast('jobs', 'retry', '--name', task.name)).code).toBe(1);
    expect((await ballast('jobs', 'retry', two, '--name', task.name)).code).toBe(2);
    expect((await ballast('jobs', 'retry', '--name', 'suite.sendmail')).err).toContain('did you mean suite.send-mail?');
  });

  it('cancels what waits, and nothing else', async () => {
    const id = await add();
    expect(await ballast('jobs', 'cancel', id)).toMatchObject({ code: 0, out: 'Cancelled.' });
    expect(await ballast('jobs', 'cancel', id, '--json')).toMatchObject({
      code: 1,
      err: 'The job is cancelled: only one that waits can be cancelled.',
    });
    const running = await add();
    await jobsDb.sql`delete from jobs.due where job_id = ${running}`;
    await jobsDb.sql`update jobs.job set started_at = now() where id = ${running}`;
    expect((await ballast('jobs', 'cancel', running)).err).toContain('is running');
    expect((await ballast('jobs', 'cancel', nobody)).err).toBe(`There is no job ${nobody}.`);
  });

  it('makes a waiting job due', async () => {
    const id = await add({ runAt: new Date(Date.now() + 3_600_000) });
    expect((await ballast('jobs', 'run', id)).code).toBe(0);
    const [row] = await jobsDb.sql`select run_at <= now() as due from jobs.job where id = ${id}`;
    expect(row?.due).toBe(true);
    expect((await ballast('jobs', 'run', await addDead('refused'))).err).toContain('The job is dead');
  });

  it('pauses and resumes a queue once, and guards against slips', async () => {
    await add();
    expect(await ballast('jobs', 'pause', 'defualt')).toMatchObject({ code: 2 });
    expect(await ballast('jobs', 'pause', 'default')).toMatchObject({
      code: 0,
      out: 'Queue default is paused; one job waits in it.',
      err: '',
    });
    expect(await ballast('jobs', 'pause', 'default')).toMatchObject({
      code: 1,
      err: 'Queue default was paused already.',
    });
    expect((await ballast('jobs', 'counts')).out).toMatch(/\ndefault \(paused\) {2}suite\.send-mail {8}1 /);
    expect((await ballast('jobs', 'resume', 'default', '--json')).json()).toEqual({ queue: 'default', changed: true });
    expect((await ballast('jobs', 'resume', 'default')).code).toBe(1);
    expect((await ballast('jobs', 'pause', 'reports')).err).toBe('No living worker serves a queue of this name.');
  });

  it('holds what waits until it is released, and counts before it does', async () => {
    const [one] = [await add(), await add({ runAt: new Date(Date.now() + 3_600_000) })];
    const dead = await addDead('refused');
    const counted = await ballast('jobs', 'hold', '--all', '--dry-run');
    expect(counted.out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['QUEUE', 'JOB', 'JOBS'],
      ['default', 'suite.send-mail', '2'],
      ['2 jobs would be held.'],
    ]);
    expect((await ballast('jobs', 'release', '--all', '--json')).json()).toEqual({
      dryRun: false,
      released: 0,
      kinds: [],
    });
    expect(await ballast('jobs', 'hold', one)).toMatchObject({ code: 0, err: '' });
    expect(await ballast('jobs', 'hold', one)).toMatchObject({
      code: 1,
      err: 'The job is held: only one that has not begun can be held.',
    });
    expect((await ballast('jobs', 'hold', dead)).err).toContain('The job is dead');
    expect((await ballast('jobs', 'hold', nobody)).err).toBe(`There is no job ${nobody}.`);
    const kinds = [{ queue: 'default', name: task.name, jobs: 1 }];
    expect((await ballast('jobs', 'hold', '--name', task.name, '--json')).json()).toEqual({
      dryRun: false,
      held: 1,
      running: 0,
      missed: 0,
      kinds,
    });
    expect((await ballast('jobs', 'list', '--state', 'held', '--json')).json()).toHaveLength(2);
    expect((await ballast('jobs', 'release', '--queue', 'default', '--dry-run')).out).toMatch(
      /2 jobs would be released\.$/,
    );
    expect((await ballast('jobs', 'release', one, '--json')).json()).toEqual({ dryRun: false, released: 1, kinds });
    expect((await ballast('jobs', 'release', one)).err).toBe('The job is pending, not held.');
    expect((await ballast('jobs', 'release', '--all')).out).toMatch(/One job waits again\.$/);
    expect((await ballast('jobs', 'hold', '--name', 'suite.send-mial')).err).toContain('did you mean suite.send-mail?');
  });

  it('cancels held jobs together, and nothing that is not held', async () => {
    const [held] = [await add(), await add()];
    await ballast('jobs', 'hold', '--all');
    const waiting = await add();
    const kinds = [{ queue: 'default', name: task.name, jobs: 2 }];
    expect((await ballast('jobs', 'cancel', '--held', '--dry-run')).out).toMatch(/2 jobs would be cancelled\.$/);
    expect((await ballast('jobs', 'cancel', '--held', '--name', task.name, '--json')).json()).toEqual({
      dryRun: false,
      cancelled: 2,
      kinds,
    });
    expect((await ballast('jobs', 'show', held, '--json')).json()).toMatchObject({ state: 'cancelled' });
    expect((await ballast('jobs', 'show', waiting, '--json')).json()).toMatchObject({ state: 'pending' });
    expect(await ballast('jobs', 'cancel', '--held')).toMatchObject({ code: 1, err: 'No such job is held.' });
    expect((await ballast('jobs', 'cancel', '--held', '--queue', 'defualt')).err).toContain('did you mean default?');
  });

  it('says what runs while others are held', async () => {
    const running = await add();
    await jobsDb.sql`
      with gone as (delete from jobs.due)
      insert into jobs.pack (id, queue, name, job_ids, runner_id) values (${nobody}, 'default', ${task.name}, ${[running]}::uuid[], ${nobody})`;
    expect((await ballast('jobs', 'hold', running)).err).toContain('The job is running');
    expect((await ballast('jobs', 'hold', '--all')).err).toBe('No such job waits. Running and left to end: 1.');
    await add();
    expect(await ballast('jobs', 'hold', '--all')).toMatchObject({ code: 0, err: 'Running and left to end: 1.' });
  });

  it('answers a program with what it changed, whichever it was, and with the same code', async () => {
    const told = async (...words: string[]) => {
      const { code, json } = await ballast('jobs', ...words, '--json');
      return [code, json()];
    };
    const later = await add({ runAt: new Date(Date.now() + 3_600_000) });
    expect(await told('run', later)).toEqual([0, { id: later, due: true }]);
    expect(await told('cancel', later)).toEqual([0, { id: later, cancelled: true }]);
    expect(await told('cancel', later)).toEqual([1, { id: later, cancelled: false }]);
    expect(await told('run', later)).toEqual([1, { id: later, due: false }]);
    expect(await told('retry', later)).toEqual([0, { retried: 1 }]);
    expect(await told('pause', 'default')).toEqual([0, { queue: 'default', changed: true }]);
    expect(await told('pause', 'default')).toEqual([1, { queue: 'default', changed: false }]);
    expect(await told('counts')).toMatchObject([0, [{ queue: 'default', state: 'pending', jobs: 1, paused: true }]]);
    expect(await told('resume', 'default')).toEqual([0, { queue: 'default', changed: true }]);
  });

  it('counts by queue, name and state', async () => {
    await add();
    await addDead('refused');
    const { code, out } = await ballast('jobs', 'counts');
    expect(code).toBe(0);
    expect(out.split('\n')).toHaveLength(2);
    expect((await ballast('jobs', 'counts', '--json')).json()).toMatchObject([
      { queue: 'default', name: task.name, state: 'dead', jobs: 1 },
      { queue: 'default', name: task.name, state: 'pending', jobs: 1 },
    ]);
  });

  it('says how long the oldest that is due has waited', async () => {
    await add({ runAt: new Date(Date.now() - 7_200_000) });
    await add({ runAt: new Date(Date.now() - 60_000) });
    await add({ runAt: new Date(Date.now() + 60_000) });
    const [row] = (await ballast('jobs', 'counts', '--json')).json();
    expect(row).toMatchObject({ state: 'pending', jobs: 3 });
    expect(Math.abs(row.oldestDueSeconds - 7_200)).toBeLessThan(60);
    expect((await ballast('jobs', 'counts')).out).toMatch(/2 h/);
  });
});

describe('jobs schedules', () => {
  const process = '018f0000-0000-7000-8000-00000000000a';
  beforeEach(async () => {
    await jobsDb.sql`
      insert into jobs.process (id, role, release, host, slots, knows, schedules)
      values (${process}, 'worker', 'test', 'here', '{}', '{}', '{suite.nightly}')`;
    await jobsDb.sql`
      insert into jobs.schedule (name, cron, zone, next_slot, last_slot) values
        ('suite.nightly', '0 3 * * *', 'Europe/Berlin', now() + interval '7 hours 1 minute', now() - interval '17 hours 1 minute'),
        ('suite.resting', '*/5 * * * *', 'UTC', now() - interval '3 days 1 minute', null)`;
  });
  afterEach(async () => {
    await jobsDb.sql`delete from jobs.process`;
    await jobsDb.sql`delete from jobs.schedule`;
  });

  it('shows each with its slots, and which ones no living worker knows', async () => {
    const { code, out, err } = await ballast('jobs', 'schedules');
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['SCHEDULE', 'CRON', 'ZONE', 'NEXT', 'LAST', 'KNOWN'],
      ['suite.nightly', '0 3 * * *', 'Europe/Berlin', 'in 7 h', '17 h ago', 'yes'],
      ['suite.resting', '*/5 * * * *', 'UTC', '3 d ago', '-', 'no'],
    ]);
    expect(err).toBe(
      'No living worker knows suite.resting. Either no worker runs, or the module is off: no job is added meanwhile.',
    );
    await jobsDb.sql`update jobs.process set beat_at = now() - interval '1 minute'`;
    expect((await ballast('jobs', 'schedules')).err).toContain('No living worker knows suite.nightly, suite.resting.');
  });

  it('speaks JSON', async () => {
    const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect((await ballast('jobs', 'schedules', '--json')).json()).toEqual([
      {
        name: 'suite.nightly',
        cron: '0 3 * * *',
        zone: 'Europe/Berlin',
        nextSlot: moment,
        lastSlot: moment,
        known: true,
      },
      { name: 'suite.resting', cron: '*/5 * * * *', zone: 'UTC', nextSlot: moment, lastSlot: null, known: false },
    ]);
  });

  it('says that there are none, and that one never comes round again', async () => {
    await jobsDb.sql`update jobs.schedule set next_slot = 'infinity' where name = 'suite.nightly'`;
    expect((await ballast('jobs', 'schedules', '--json')).json()[0]).toMatchObject({ nextSlot: null });
    await jobsDb.sql`delete from jobs.schedule`;
    expect(await ballast('jobs', 'schedules', '--json')).toMatchObject({
      code: 0,
      out: '[]',
      err: 'There are no schedules.',
    });
  });
});

describe('what is typed wrong', () => {
  it.each([
    [['job'], 'unknown command job, did you mean jobs?'],
    [['jobs', 'lits'], 'unknown command lits, did you mean list?'],
    [['jobs', 'list', '--stat', 'dead'], 'unknown option --stat, did you mean --state?'],
    [['jobs', 'list', '--state', 'daed'], 'unknown state "daed", did you mean dead?'],
    [['jobs', 'list', '--limit', '0'], '--limit takes a number from 1 to 1000'],
    [['jobs', 'list', '--limit'], '--limit needs a value.'],
    [['jobs', 'list', '--tenant', 'acme'], "--tenant takes an organisation's id"],
    [['jobs', 'list', 'dead'], '"dead" is one word too many'],
    [['jobs', 'show'], 'ID is missing'],
    [['jobs', 'show', '42'], '"42" is no job\'s id'],
    [['jobs', 'hold'], 'hold takes one job by its ID, or --queue, --name or --all.'],
    [['jobs', 'release', '--all', '--name', 'suite.send-mail'], 'release takes one job by its ID'],
    [['jobs', 'cancel', '--name', 'suite.send-mail'], 'cancel takes a job by its ID, or --held with'],
    [['jobs', 'cancel', '--held', nobody], 'cancel takes a job by its ID, or --held with'],
    [['jobs', 'hold', '--all=yes'], '--all takes no value.'],
    [['jobs', 'retry'], 'retry takes a job by its ID, or all of a name'],
  ])('%j', async (words, sentence) => {
    const { code, out, err } = await ballast(...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(sentence);
    expect(err).toMatch(/\nSee npm run ballast -- .*--help$/);
  });

  it.each(
    [
      ['--help'],
      ['jobs', '--help'],
      ['jobs', 'hold', '--help'],
      ['jobs', 'list', '--help'],
      ['jobs', 'pause', '-h'],
    ].map((words) => [words]),
  )('%j is help', async (words) => {
    const { code, out, err } = await ballast(...words);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^(Ballast|npm run ballast --)/);
  });
});

describe('what goes wrong in a command', () => {
  const failing = async (work: (db: Database) => Promise<never>) => {
    const prepare = vi.spyOn(list, 'prepare').mockReturnValue(work);
    const { code, out, err } = await ballast('jobs', 'list');
    prepare.mockRestore();
    expect(out).toBe('');
    return { code, err };
  };

  it.each([
    ['that has no code', () => new TypeError("Cannot read properties of undefined (reading 'id')")],
    ['of Node', () => Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL' })],
    ['of a query', () => Object.assign(new Error('Undefined values are not allowed'), { code: 'UNDEFINED_VALUE' })],
  ])('is a bug, told as one with its lines, and no refusal of the database: an error %s', async (_, make) => {
    const error = make();
    const { code, err } = await failing(async () => {
      throw error;
    });
    expect(code).toBe(4);
    expect(err).toBe(`This is a bug in Ballast. Please report it, with these lines:\n${error.stack}`);
  });

  it('is the database’s when Postgres says so, also as a cause', async () => {
    const refused = { code: 3, err: 'The database refused: division by zero (22012).' };
    const divide = (db: Database) => db.sql`select 1 / 0`;
    expect(await failing((db) => divide(db).then(() => expect.fail()))).toEqual(refused);
    expect(
      await failing(async (db) => {
        const cause = await divide(db).catch((error: Error) => error);
        throw new Error('Failed query', { cause });
      }),
    ).toEqual(refused);
  });

  it('is the system’s when a file may not be read', async () => {
    const { code, err } = await failing(async () => {
      throw Object.assign(new Error("EACCES: permission denied, open '/secrets'"), { code: 'EACCES', syscall: 'open' });
    });
    expect({ code, err }).toEqual({ code: 4, err: "The system refused: EACCES: permission denied, open '/secrets'." });
  });
});
