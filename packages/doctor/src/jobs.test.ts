import { withTenant } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import { forgetJobs } from '@ballast/jobs/testing';
import { defineJob } from '@ballast/kernel';
import { openPatiently } from '@ballast/test-kit/pools';
import { hasRedis } from '@ballast/test-kit/redis';
import { Redis } from 'ioredis';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openWard, type Ward } from './testing/ward.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'ward.task', payload: z.strictObject({ to: z.string() }), attempts: 3 });

describe.runIf(hasRedis())('doctor, of jobs', () => {
  let ward: Ward;
  let redis: Redis;
  beforeAll(async () => {
    ward = await openWard();
    redis = new Redis(ward.queue.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await ward.close();
  });
  beforeEach(async () => {
    await forgetJobs(ward.jobs);
    for (const table of ['process', 'queue', 'epoch']) await ward.jobs.sql.unsafe(`delete from jobs.${table}`);
    await redis.flushall();
  });

  async function add(waitedSeconds = 0): Promise<string> {
    const db = openPatiently({ url: ward.database.appUrl, applicationName: 'ward', maxConnections: 1 });
    const id = await withTenant(db, tenant, (tx) => enqueue(tx, task, { to: 'a@acme.test' }));
    await db.close();
    await ward.jobs.sql`update jobs.job set run_at = now() - ${waitedSeconds} * interval '1 second' where id = ${id}`;
    await ward.jobs.sql`
      update jobs.due set run_at = job.run_at from jobs.job where job.id = due.job_id and job.id = ${id}`;
    return id as string;
  }

  it('says that no worker is alive, since when, and what waits (row 46)', async () => {
    await ward.live({ silentSeconds: 240 });
    await add(180);
    const [found, ...others] = await ward.find();
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      code: 'workers.none',
      severity: 'fault',
      symptom: 'emails never arrive, jobs pile up',
      cause: expect.stringContaining('DISABLE_BACKGROUND_WORKERS=true'),
      evidence: [
        'last heard: worker ward on here, 4 min ago',
        expect.stringMatching(/^1 job in default, the oldest waits for 3 min$/),
      ],
      fix: expect.stringMatching(/^docker compose up -d worker/),
    });
    expect((await ward.find({ consumes: true }))[0]?.cause).not.toContain('DISABLE_BACKGROUND_WORKERS');
  });

  it('says that one of several fell silent', async () => {
    await ward.live();
    await ward.live({ silentSeconds: 60 });
    expect(await ward.find()).toMatchObject([
      { code: 'workers.silent', evidence: [expect.stringMatching(/^worker ward on here, silent for \d\d s$/)] },
    ]);
    // One that has been gone for long is expected by nobody: it was scaled down, or replaced.
    await ward.jobs
      .sql`update jobs.process set beat_at = now() - interval '6 minutes' where beat_at < now() - interval '30 seconds'`;
    expect(await ward.codes()).toEqual([]);
  });

  it('says that API and workers both consume (row 47)', async () => {
    await ward.live();
    await ward.live({ role: 'api' });
    expect(await ward.find()).toMatchObject([
      {
        code: 'consumers.both',
        symptom: 'duplicate execution',
        fix: expect.stringContaining('DISABLE_BACKGROUND_WORKERS=true'),
      },
    ]);
  });

  it('says that the workers do not know a job of this build', async () => {
    await ward.live();
    expect(await ward.find({ jobs: ['ward.task@1', 'ward.new@1'] })).toMatchObject([
      {
        code: 'workers.know_less',
        symptom: 'stale active-modules snapshot in an image',
        evidence: ['unknown to them: ward.new@1', 'workers: ward on here'],
      },
    ]);
    // While a deploy is under way the workers are of two builds.
    await ward.jobs.sql`update jobs.process set started_at = now() - interval '20 seconds'`;
    expect(await ward.codes({ jobs: ['ward.task@1', 'ward.new@1'] })).toEqual([]);
  });

  it('tells a queue that is stuck from one that is paused, behind, or served by nobody', async () => {
    await ward.live();
    const id = await add(400);
    expect(await ward.codes()).toEqual(['jobs.stuck']);
    await ward.jobs.sql`insert into jobs.pack (id, queue, name, job_ids, runner_id, opened_at)
                        values (${uuidv7()}, 'default', 'ward.task', ${[uuidv7()]}::uuid[], ${id}, now())`;
    expect(await ward.codes()).toEqual(['jobs.behind']);
    // Two minutes of a burst are no fault.
    await ward.jobs.sql`update jobs.due set run_at = now() - interval '2 minutes'`;
    expect(await ward.codes()).toEqual([]);
    await ward.jobs.sql`insert into jobs.queue (name, paused_at) values ('default', now())`;
    const [paused] = await ward.find();
    expect(paused).toMatchObject({
      code: 'jobs.paused',
      fix: 'docker compose exec worker ballast jobs resume default',
    });
    await ward.jobs.sql`delete from jobs.process`;
    await ward.live({ slots: { other: 1 } });
    await ward.jobs.sql`delete from jobs.queue`;
    expect(await ward.codes()).toEqual(['workers.queue_unserved']);
  });

  it('counts dead, failing, parked and held jobs by kind, with the code and no word of a person', async () => {
    await ward.live();
    const [dead, failing, parked, held] = [await add(), await add(), await add(), await add()];
    await ward.jobs.sql`delete from jobs.due`;
    await ward.jobs.sql`update jobs.job set state = 'dead', ended_at = now() where id = ${dead}`;
    await ward.jobs.sql`insert into jobs.dead (job_id, queue, name) values (${dead}, 'default', 'ward.task')`;
    await ward.jobs.sql`
      insert into jobs.failure (job_id, attempt, message) values
        (${dead}, 3, 'mail.refused: 550 a@acme.test is unknown'), (${failing}, 1, 'mail.deferred: 451 a@acme.test later')`;
    await ward.jobs.sql`
      insert into jobs.aside (job_id, why, queue, name, version) values
        (${parked}, 'parked', 'default', 'ward.task', 1), (${held}, 'held', 'default', 'ward.task', 1)`;
    const found = await ward.find();
    expect(found.map(({ code }) => code).sort()).toEqual(['jobs.dead', 'jobs.failing', 'jobs.held', 'jobs.parked']);
    expect(found.find(({ code }) => code === 'jobs.dead')?.evidence).toEqual([
      expect.stringMatching(/^1 job ward\.task in default: mail\.refused, last \d+ s ago$/),
    ]);
    expect(found.find(({ code }) => code === 'jobs.failing')?.evidence[0]).toContain('mail.deferred');
    expect(found.find(({ code }) => code === 'jobs.held')?.fix).toMatch(
      /jobs list --state held; .*jobs release --all$/,
    );
    expect(JSON.stringify(found)).not.toContain('acme');
  });

  it('says that packs were handed out and nobody began them', async () => {
    await ward.live();
    await ward.jobs.sql`insert into jobs.pack (id, queue, name, job_ids, dispatched_at)
      values (${uuidv7()}, 'default', 'ward.task', ${[uuidv7()]}::uuid[], now() - interval '3 minutes')`;
    expect(await ward.codes()).toEqual(['jobs.unopened']);
    // While every slot is busy, a pack waits for one.
    const busy = Array.from({ length: 10 }, () => uuidv7());
    await ward.jobs.sql`update jobs.process set packs = ${busy}::uuid[]`;
    expect(await ward.codes()).toEqual([]);
  });

  it('says that a store was wiped lately, or is another than the workers’ (row 8)', async () => {
    await ward.live();
    const value = uuidv7();
    await ward.jobs
      .sql`insert into jobs.epoch (value, since, losses) values (${value}, now() - interval '20 seconds', 1)`;
    await redis.set('ballast:epoch', value);
    expect(await ward.find()).toMatchObject([
      {
        code: 'queue.wiped',
        severity: 'warning',
        symptom: 'jobs silently disappear',
        evidence: [expect.stringMatching(/^lost \d\d s ago, and 1 times in all$/)],
      },
    ]);
    await ward.jobs.sql`update jobs.epoch set losses = 0, since = now() - interval '1 day'`;
    expect(await ward.codes()).toEqual([]);
    await redis.flushall();
    expect(await ward.find()).toMatchObject([
      { code: 'queue.not_the_workers', symptom: 'emails never arrive, jobs pile up' },
    ]);
  });

  it('says that the generated code is of another set of modules', async () => {
    await ward.live();
    const staleSnapshot =
      'app.config.ts switches on accounts, but the generated code was written for accounts, support.';
    expect(await ward.find({ staleSnapshot })).toMatchObject([
      {
        code: 'modules.snapshot_stale',
        symptom: 'stale active-modules snapshot in an image',
        cause: staleSnapshot,
        fix: expect.stringMatching(/^npm run generate:active-modules && docker compose up -d --build/),
      },
    ]);
  });

  it('looks at what it can while the tables are older than this build', async () => {
    const owner = openPatiently({ url: ward.database.ownerUrl, applicationName: 'ward', maxConnections: 1 });
    await owner.sql.unsafe('alter view jobs.fleet rename to fleet_away');
    try {
      expect(await ward.codes()).toEqual([]);
    } finally {
      await owner.sql.unsafe('alter view jobs.fleet_away rename to fleet');
      await owner.close();
    }
  });
});
