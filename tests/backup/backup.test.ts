/**
 * Backups of a real Postgres with the real pgBackRest: taken, listed, tried, and restored
 * to the newest commit and to a moment before an accident.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { onServer } from '@ballast/test-kit/database';
import { findFakeTime } from '@ballast/test-kit/fake-time';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findProgram } from '../../scripts/test/programs.ts';
import { type BackupStage, openBackupStage, spooled } from './stage.ts';

let stage: BackupStage;
let service: ChildProcess;

beforeAll(async () => {
  stage = await openBackupStage();
  await onServer(stage.ownerUrl, (sql) => sql.unsafe('create table kept (what text not null)'));
  service = stage.serve();
});
afterAll(() => stage.close());

const keep = (what: string) => onServer(stage.ownerUrl, (sql) => sql`insert into kept values (${what})`);
const kept = () =>
  onServer(stage.ownerUrl, async (sql) => {
    const rows = await sql<{ what: string }[]>`select what from kept order by what`;
    return rows.map(({ what }) => what);
  });
const state = () =>
  onServer(stage.appUrl, async (sql) => {
    const [row] = await sql`select *, now() - recovery_point as age from ballast.backup_state`;
    return row;
  });
const drills = () => onServer(stage.appUrl, (sql) => sql`select * from ballast.restore_drill order by id`);
const now = () =>
  onServer(stage.appUrl, async (sql) => {
    const [row] = await sql<
      { now: string }[]
    >`select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.USZ') as now`;
    return row?.now ?? '';
  });

/**
 * After failures in a row the service looks again later and later: after three, and as many there may be while a busy machine
 * plays the trouble, two minutes after the last.
 */
const mended = () =>
  vi.waitFor(async () => expect((await state())?.problem).toBeNull(), { timeout: 600_000, interval: 500 });

/** Whether the service says that what was committed at that moment is safe. */
const reached = (moment: string) =>
  onServer(stage.appUrl, async (sql) => {
    const [row] = await sql<{ reached: boolean }[]>`
      select recovery_point > ${moment}::text::timestamptz as reached from ballast.backup_state`;
    return row?.reached;
  });

/** Those that are whole: the service may be writing others this moment. */
function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.pgbackrest.tmp'))
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('backups', () => {
  it('begin with the service: a full backup, a drill, and a recovery point, where the app may read them', async () => {
    await vi.waitFor(
      async () => {
        expect(await drills()).toMatchObject([{ proven: true, problem: null }]);
        expect(await state()).toMatchObject({ problem: null, backup: expect.stringMatching(/^\d{8}-\d{6}F$/) });
      },
      { timeout: 600_000, interval: 500 },
    );
    const { data_free_bytes, data_bytes } = (await state()) ?? {};
    expect(Number(data_free_bytes)).toBeGreaterThan(0);
    expect(Number(data_bytes)).toBeGreaterThan(Number(data_free_bytes));
    const [drill] = await drills();
    expect(drill?.tables).toBeGreaterThan(20);
    expect(Number(drill?.rows)).toBeGreaterThan(5);
    expect(drill?.recovery_point).toBeInstanceOf(Date);
    expect((await state())?.recovery_point).toBeInstanceOf(Date);
  });

  it('are encrypted: neither rows nor the names of tables can be read in the repository', async () => {
    await keep('a-word-that-stands-nowhere-else');
    const taken = await stage.ballast(['backup', '--json']);
    expect(taken).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(taken.out)).toMatchObject({ kind: 'diff', damaged: false });
    await stage.walSaved();
    const stored = files(join(stage.folder, 'repository'));
    expect(stored.length).toBeGreaterThan(5);
    for (const file of stored) {
      const content = readFileSync(file);
      expect(content.includes('a-word-that-stands-nowhere-else'), file).toBe(false);
      expect(content.includes('restore_drill'), file).toBe(false);
      // Not even whose it is can be changed by others.
      expect(statSync(file).mode & 0o007, file).toBe(0);
    }
  });

  it('are listed, and a new one can be full', async () => {
    expect(await stage.ballast(['backup', '--full'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/\(full\)/),
    });
    const { out, err } = await stage.ballast(['backup', 'list']);
    expect(out.match(/\bfull\b/g)).toHaveLength(2);
    expect(out.match(/\bdiff\b/g)).toHaveLength(1);
    expect(err).toMatch(/Any moment since \d{4}-/);
  });

  const library = findFakeTime();
  if (library) {
    it('are kept for as long as is said, and dropped with their WAL when the next is taken after that', async () => {
      // pgBackRest goes by its own clock: here it is twenty days ahead.
      const folder = join(stage.folder, 'later');
      mkdirSync(folder);
      const clock = `LD_PRELOAD=${library} FAKETIME=+20d FAKETIME_DONT_FAKE_MONOTONIC=1`;
      const script = `#!/bin/sh\nexec env ${clock} ${findProgram('pgbackrest')} "$@"\n`;
      writeFileSync(join(folder, 'pgbackrest'), script, { mode: 0o755 });
      const later = async (days: string) => {
        const PATH = `${folder}:${process.env.PATH}`;
        expect(await stage.ballast(['backup', '--full'], { PATH, BACKUP_KEEP_DAYS: days })).toMatchObject({ code: 0 });
        const { out, err } = await stage.ballast(['backup', 'list']);
        const [, since = ''] = /Any moment since (\S+)/.exec(err) ?? [];
        return { full: out.match(/\bfull\b/g)?.length, diff: out.match(/\bdiff\b/g)?.length, since };
      };
      const segments = () =>
        files(join(stage.folder, 'repository/archive')).filter((name) => /[0-9A-F]{24}-/.test(name));
      const kept = await later('30');
      expect(kept).toMatchObject({ full: 3, diff: 1 });
      const before = segments();
      const dropped = await later('14');
      expect(dropped).toMatchObject({ full: 1, diff: undefined });
      expect(new Date(dropped.since).getTime()).toBeGreaterThan(new Date(kept.since).getTime());
      expect(before.filter((segment) => !segments().includes(segment)).length).toBeGreaterThan(0);
    });
  }

  it('cannot be read without the key', async () => {
    const { code, err } = await stage.ballast(['backup', 'list'], {
      BACKUP_KEY: 'another-key-that-is-long-enough-too',
    });
    expect(code, err).toBe(1);
    expect(err).toMatch(/another BACKUP_KEY/);
    expect(err).not.toContain('another-key');
  });

  it('are drilled on demand, and a repository that is damaged is no proof', async () => {
    const good = await stage.ballast(['backup', 'drill']);
    expect(good).toMatchObject({ code: 0, out: expect.stringMatching(/^Everything came back in/) });
    // The service's own restore is not disturbed, and nothing is left of the scratch server.
    expect(readdirSync(join(stage.folder, 'repository/scratch'))).toEqual([]);

    const [largest = ''] = files(join(stage.folder, 'repository/backup')).sort(
      (a, b) => statSync(b).size - statSync(a).size,
    );
    const whole = readFileSync(largest);
    const damaged = Buffer.from(whole);
    damaged.fill(0, whole.length / 2, whole.length / 2 + 512);
    writeFileSync(largest, damaged);
    const bad = await stage.ballast(['backup', 'drill', '--json']);
    writeFileSync(largest, whole);
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.out)).toMatchObject({ proven: false, problem: expect.stringContaining('verify') });
    expect((await drills()).at(-1)).toMatchObject({ proven: false, problem: expect.stringContaining('verify') });
  });

  it('bring back the moment before an accident, and keep what stood there', async () => {
    await keep('before');
    const moment = await now();
    await keep('after');
    await onServer(stage.ownerUrl, (sql) => sql`delete from kept where what = 'before'`);
    await stage.walSaved();
    const running = await stage.ballast(['restore', '--to', moment]);
    expect(running).toMatchObject({ code: 1, err: expect.stringContaining('Postgres runs on that folder') });
    // One that lets nobody in any more runs on it too, for as long as somebody is still there.
    const stopped = await onServer(stage.adminUrl, async (sql) => {
      await sql`select 1`;
      const gone = stage.stopPostgres('SIGTERM');
      await vi.waitFor(() => expect(kept()).rejects.toMatchObject({ code: '57P03' }), {
        timeout: 60_000,
        interval: 200,
      });
      const stopping = await stage.ballast(['restore', '--to', moment]);
      expect(stopping).toMatchObject({ code: 1, err: expect.stringContaining('Postgres runs on that folder') });
      expect(readFileSync(join(stage.dataFolder, 'PG_VERSION'), 'utf8').trim()).toBe('18');
      return { gone };
    });
    await stopped.gone;
    const restored = await stage.ballast(['restore', '--to', moment, '--json']);
    expect(restored, restored.err).toMatchObject({ code: 0 });
    const { aside } = JSON.parse(restored.out) as { aside: string };
    await stage.startPostgres();
    expect(await kept()).toEqual(['a-word-that-stands-nowhere-else', 'before']);
    expect(readFileSync(join(aside, 'PG_VERSION'), 'utf8').trim()).toBe('18');
    rmSync(aside, { recursive: true });
  });

  it('put nothing where a server would start on it while its jobs are not held, and everything once they are', async () => {
    await keep('before-the-trouble');
    const moment = await now();
    await onServer(stage.adminUrl, (sql) =>
      sql.unsafe(`
        create function jobs.refuse() returns trigger language plpgsql as $$ begin raise exception 'not today'; end $$;
        create trigger refuse before delete on jobs.process for each statement execute function jobs.refuse();`),
    );
    await stage.walSaved();
    await stage.stopPostgres();
    const refused = await stage.ballast(['restore', '--to', 'latest']);
    expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/jobs could not be held: not today/) });
    expect(existsSync(stage.dataFolder)).toBe(false);
    expect(refused.err).toContain(`${stage.dataFolder}.not-held`);
    expect(readFileSync(`${stage.dataFolder}.not-held/PG_VERSION`, 'utf8').trim()).toBe('18');

    const restored = await stage.ballast(['restore', '--to', moment]);
    expect(restored, restored.err).toMatchObject({ code: 0 });
    const beside = readdirSync(dirname(stage.dataFolder)).filter((name) => name !== basename(stage.dataFolder));
    expect(beside).not.toContain(`${basename(stage.dataFolder)}.not-held`);
    await stage.startPostgres();
    expect(await kept()).toContain('before-the-trouble');
    for (const name of beside) rmSync(join(dirname(stage.dataFolder), name), { recursive: true });
    // The service has found Postgres again: the next tests look at what it says.
    await mended();
  });

  it('wait while the repository is away, say so, and have lost nothing when it is back', async () => {
    const place = join(stage.folder, 'repository/archive');
    // Nothing is being pushed this moment.
    await stage.walSaved();
    renameSync(place, `${place}.away`);
    const moment = await now();
    await keep('while-away');
    await onServer(stage.adminUrl, (sql) => sql`select pg_switch_wal()`);
    await vi.waitFor(async () => expect((await state())?.problem).toMatch(/archive/), {
      timeout: 180_000,
      interval: 500,
    });
    expect(spooled(join(stage.folder, 'run'))).not.toEqual([]);
    // What is not there is not said to be.
    expect(await reached(moment)).toBe(false);
    rmSync(place, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    renameSync(`${place}.away`, place);
    const [first, second] = await Promise.all([stage.ballast(['backup', 'drill']), stage.ballast(['backup', 'drill'])]);
    // Two at once would work in one folder.
    expect([first.code, second.code].sort()).toEqual([0, 1]);
    expect(first.err + second.err).toContain('Another drill is under way');
    await mended();
    await vi.waitFor(async () => expect(await reached(moment)).toBe(true), { timeout: 180_000, interval: 500 });
  });

  it('go on after a restore, on the new timeline', async () => {
    await keep('later');
    const { code, out, err } = await stage.ballast(['backup', 'drill', '--json']);
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ proven: true });
    await stage.stopPostgres('SIGKILL');
    // What it had started ends a moment later.
    rmSync(stage.dataFolder, { recursive: true, maxRetries: 20, retryDelay: 100 });
    const restored = await stage.ballast(['restore', '--to', 'latest']);
    expect(restored, restored.err).toMatchObject({ code: 0 });
    await stage.startPostgres();
    expect(await kept()).toContain('later');
  });

  it('lose nothing of a server that was killed: what it had not handed over, and what nobody has pushed', async () => {
    service.kill('SIGKILL');
    await keep('in-the-spool');
    await stage.stopPostgres();
    expect(spooled(join(stage.folder, 'run'))).not.toEqual([]);
    rmSync(stage.dataFolder, { recursive: true });
    const restoreLatest = async () => {
      const { code, out, err } = await stage.ballast(['restore', '--to', 'latest', '--json']);
      expect(code, err).toBe(0);
      const { aside, unsaved } = JSON.parse(out) as { aside: string | null; unsaved: string | null };
      if (aside) rmSync(aside, { recursive: true });
      return { unsaved };
    };
    expect(await restoreLatest()).toEqual({ unsaved: null });
    await stage.startPostgres();
    expect(await kept()).toContain('in-the-spool');

    // With its disk it is all there: a segment that could not be handed over, and one that is not full.
    const [at] = await onServer(stage.adminUrl, (sql) => sql`select pg_walfile_name(pg_current_wal_lsn()) as segment`);
    const inTheWay = join(stage.folder, 'run/pgbackrest', `${at?.segment}.part`);
    symlinkSync('/nowhere/that/is', inTheWay);
    await keep('not-handed-over');
    await onServer(stage.adminUrl, (sql) => sql`select pg_switch_wal()`);
    await keep('not-even-full');
    await stage.stopPostgres('SIGKILL');
    rmSync(inTheWay);
    const second = await restoreLatest();
    expect(second.unsaved).toBeNull();
    // Later restores need it too.
    expect(files(join(stage.folder, 'repository/archive')).join()).toContain(`${at?.segment}-`);
    await stage.startPostgres();
    const all = await kept();
    expect(all).toEqual(expect.arrayContaining(['in-the-spool', 'not-handed-over', 'not-even-full']));

    // What is not of this server is not touched, and what cannot be saved is said.
    await stage.stopPostgres();
    const [foreign, control] = ['pg_wal/000000090000000000000009', 'global/pg_control'].map((name) =>
      join(stage.dataFolder, name),
    ) as [string, string];
    const addForeign = () => {
      writeFileSync(foreign, 'of another');
      writeFileSync(join(stage.dataFolder, 'pg_wal/archive_status/000000090000000000000009.ready'), '');
    };
    addForeign();
    expect((await restoreLatest()).unsaved).toContain('archive-push');
    addForeign();
    writeFileSync(control, readFileSync(control).fill(7, 0, 8));
    expect((await restoreLatest()).unsaved).toBeNull();
    await stage.startPostgres();
    expect(await kept()).toEqual(all);
    service = stage.serve();
  });

  it('are tried again by the service itself when the last proof has become too old', async () => {
    const moment = await now();
    await onServer(
      stage.adminUrl,
      (sql) =>
        sql`update ballast.restore_drill set started_at = started_at - interval '30 hours', ended_at = ended_at - interval '30 hours'`,
    );
    await vi.waitFor(
      async () => {
        const last = (await drills()).at(-1);
        expect(last).toMatchObject({ proven: true, problem: null });
        expect(new Date(last?.started_at ?? 0).getTime()).toBeGreaterThan(new Date(moment).getTime());
      },
      { timeout: 600_000, interval: 500 },
    );
  });

  it('leave in its place what stands there when no backup is as old as the moment', async () => {
    await stage.stopPostgres();
    const { code, err } = await stage.ballast(['restore', '--to', '2020-01-01T00:00:00Z']);
    expect(code).toBe(1);
    expect(err).toMatch(/unable to find backup set.*\n.*Nothing is changed: what was in .* is there again/s);
    expect(readdirSync(dirname(stage.dataFolder)).filter((name) => name.includes('.before-'))).toEqual([]);
    await stage.startPostgres();
    expect(await kept()).toContain('later');
  });

  it('say which moment they do not reach', async () => {
    // It commits and saves, by which the backups come to reach the moment.
    const ended = once(service, 'exit');
    service.kill('SIGKILL');
    await ended;
    const target = join(stage.folder, 'home/copy');
    const { code, err } = await stage.ballast(['restore', '--to', new Date().toISOString(), '--target', target]);
    expect(code).toBe(1);
    expect(err).toMatch(/The backups do not reach that moment: their newest commit is of \d{4}-/);
  });
});
