/**
 * The drill: marks the live database, restores the newest backup with all WAL since into
 * a scratch folder, starts it, and asks it whether everything came back, the mark included.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { misplacedJobs } from '@ballast/jobs/control';
import type postgres from 'postgres';
import { BackupProblem, sentenceOf } from './backup-problem.ts';
import { onLiveServer } from './live-server.ts';
import { listBackups, pgbackrest } from './pgbackrest.ts';
import { withPrivateServer } from './private-server.ts';
import { fetchInto } from './restore.ts';
import type { BackupSettings } from './settings.ts';
import { spooled } from './spool.ts';

export interface Drilled {
  proven: boolean;
  problem: string | null;
  backup: string | null;
  recoveryPoint: Date | null;
  tables: number | null;
  rows: number | null;
  seconds: number;
}

/** Runs one drill and records it in the live database. One at a time: they share the scratch folder. */
export async function drill(settings: BackupSettings): Promise<Drilled> {
  return onLiveServer(settings, async (sql) => {
    // Of this session: whoever dies gives it back.
    const [lock] = await sql<{ held: boolean }[]>`select pg_try_advisory_lock(${lockKey}) as held`;
    if (!lock?.held)
      throw new BackupProblem('Another drill is under way. Its result will be in ballast.restore_drill.');
    return drillAlone(settings);
  });
}

/** 'Dril' in ASCII. */
const lockKey = 0x4472696c;

async function drillAlone(settings: BackupSettings): Promise<Drilled> {
  const startedAt = performance.now();
  const mark = await onLiveServer(settings, setMark);
  const scratch = join(settings.scratch, 'drill');
  const none = { backup: null, recoveryPoint: null, tables: null, rows: null };
  let found: Omit<Drilled, 'seconds'>;
  try {
    await untilArchived(settings, mark.segment);
    await verify(settings);
    rmSync(scratch, { recursive: true, force: true });
    await fetchInto(settings, scratch, 'latest');
    const backup = (await listBackups(settings)).at(-1)?.label ?? null;
    found = await withPrivateServer(settings, { folder: scratch, keeps: false }, async ({ sql, newestCommit }) => {
      const problems = await differences(sql, mark);
      const read = await readEverything(sql);
      return {
        ...read,
        proven: problems.length === 0,
        problem: problems.join(' ') || null,
        backup,
        // With nothing behind the mark, the mark itself is the newest.
        recoveryPoint: newestCommit ?? new Date(mark.at),
      };
    });
  } catch (error) {
    found = { ...none, proven: false, problem: sentenceOf(error) ?? (error as Error).message };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  await onLiveServer(settings, (sql) => record(sql, mark.id, found));
  return { ...found, seconds: Math.round((performance.now() - startedAt) / 100) / 10 };
}

interface Mark {
  id: string;
  at: string;
  /** Once it is in the repository, so is the mark. */
  segment: string;
  migrations: string[];
  tables: string[];
}

async function setMark(sql: postgres.Sql): Promise<Mark> {
  const [row] = await sql<{ id: string; at: string }[]>`
    insert into ballast.restore_drill default values returning id, started_at::text as at`;
  const migrations = await migrationsOf(sql);
  const tables = await tablesOf(sql);
  // Written behind the mark, and so in its segment or a later one. The switch cannot be asked: where it finds nothing to
  // end, since Postgres has just ended a segment itself, it names the one that begins, which is not handed over.
  const [end] = await sql<{ segment: string }[]>`
    select pg_walfile_name(pg_logical_emit_message(false, 'ballast', 'drill') - 1) as segment`;
  await sql`select pg_switch_wal()`;
  if (!row || !end) throw new Error('The mark of a drill was not written.');
  return { ...row, ...end, migrations, tables };
}

const patienceMs = 120_000;

async function untilArchived(settings: BackupSettings, segment: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const [row] = await onLiveServer(
      settings,
      (sql) => sql<{ done: boolean }[]>`select last_archived_wal >= ${segment} as done from pg_stat_archiver`,
    );
    if (row?.done && !spooled(settings).some((name) => name <= segment)) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new BackupProblem(
    `WAL does not arrive in the repository: ${segment} was not there after ${patienceMs / 1_000} s.`,
  );
}

/** Every file of the repository against its checksum. pgBackRest lists what is wrong, nothing else, and ends well all the same. */
async function verify(settings: BackupSettings): Promise<void> {
  const found = await pgbackrest(settings, 'verify', ['--output=text']);
  if (found.trim() === '') return;
  throw new BackupProblem(
    `The repository is damaged (pgbackrest verify): ${found
      .trim()
      .replaceAll(/\s*\n\s*/g, '; ')
      .slice(0, 500)}`,
  );
}

/** What did not come back, as sentences. */
async function differences(sql: postgres.Sql, mark: Mark): Promise<string[]> {
  const problems: string[] = [];
  const [came] = await sql`select 1 from ballast.restore_drill where id = ${mark.id}`;
  if (!came) problems.push('The newest commit did not come back: the mark of this drill is not there.');
  const migrations = new Set(await migrationsOf(sql));
  const lackingMigrations = mark.migrations.filter((name) => !migrations.has(name));
  if (lackingMigrations.length > 0) problems.push(`Migrations did not come back: ${lackingMigrations.join(', ')}.`);
  const tables = new Set(await tablesOf(sql));
  const lacking = mark.tables.filter((name) => !tables.has(name));
  if (lacking.length > 0) problems.push(`Tables did not come back: ${lacking.join(', ')}.`);
  const misplaced = await misplacedJobs({ sql });
  if (misplaced.length > 0) problems.push(`${misplaced.length} jobs are in no place, or in several.`);
  return problems;
}

/** Reads every row: a page that does not fit its checksum is an error here, and not in the hour of need. */
async function readEverything(sql: postgres.Sql): Promise<{ tables: number; rows: number }> {
  const tables = await tablesOf(sql);
  let rows = 0;
  for (const name of tables) {
    const [counted] = await sql.unsafe<{ rows: string }[]>(`select count(whole) as rows from ${name} as whole`);
    rows += Number(counted?.rows ?? 0);
  }
  return { tables: tables.length, rows };
}

async function migrationsOf(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`select module || '/' || name as id from ballast.migration`;
  return rows.map(({ id }) => id);
}

/** Quoted, to be put into a statement. */
async function tablesOf(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema') order by 1`;
  return rows.map(({ name }) => name);
}

async function record(sql: postgres.Sql, id: string, found: Omit<Drilled, 'seconds'>): Promise<void> {
  await sql`
    update ballast.restore_drill
    set ended_at = now(), proven = ${found.proven}, problem = ${found.problem}, backup = ${found.backup},
        recovery_point = ${found.recoveryPoint?.toISOString() ?? null}::text::timestamptz,
        tables = ${found.tables}, rows = ${found.rows}
    where id = ${id}`;
  await sql`delete from ballast.restore_drill where started_at < now() - interval '1 year'`;
}
