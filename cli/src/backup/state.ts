import { statfs } from 'node:fs/promises';
import type postgres from 'postgres';
import { onLiveServer } from './live-server.ts';
import type { KnownBackup } from './pgbackrest.ts';
import type { BackupSettings } from './settings.ts';

export interface Seen {
  /** Null when the repository cannot be read: then what was known of it stays. */
  backups: readonly KnownBackup[] | null;
  /** Null when nothing new is known. */
  recoveryPoint: Date | null;
  problem: string | null;
}

/** Writes down what the service knows, where doctor reads it. A write a minute: also when nobody works there is WAL to save. */
export async function writeState(settings: BackupSettings, seen: Seen): Promise<void> {
  await onLiveServer(settings, (sql) => write(sql, settings, seen));
}

const hourMs = 3_600_000;

async function write(
  sql: postgres.Sql,
  { backupEveryMs, drillEveryMs, dataFolder }: BackupSettings,
  { backups, recoveryPoint, problem }: Seen,
): Promise<void> {
  const latest = backups?.at(-1);
  const full = backups?.findLast(({ kind }) => kind === 'full');
  const room = await roomOn(dataFolder);
  await sql`
    insert into ballast.backup_state (seen_at, backup, backup_at, full_at, recovery_point, problem, backup_every_hours,
                                      drill_every_hours, data_free_bytes, data_bytes)
    values (now(), ${latest?.label ?? null}, to_timestamp(${latest?.endedAt ?? null}::float8),
            to_timestamp(${full?.endedAt ?? null}::float8), ${recoveryPoint?.toISOString() ?? null}::text::timestamptz, ${problem},
            ${backupEveryMs / hourMs}::float8, ${drillEveryMs / hourMs}::float8,
            ${room.free}::float8, ${room.all}::float8)
    on conflict (single) do update set
      seen_at = excluded.seen_at,
      backup = case when ${backups === null} then backup_state.backup else excluded.backup end,
      backup_at = case when ${backups === null} then backup_state.backup_at else excluded.backup_at end,
      full_at = case when ${backups === null} then backup_state.full_at else excluded.full_at end,
      recovery_point = greatest(excluded.recovery_point, backup_state.recovery_point), problem = excluded.problem,
      backup_every_hours = excluded.backup_every_hours, drill_every_hours = excluded.drill_every_hours,
      data_free_bytes = excluded.data_free_bytes, data_bytes = excluded.data_bytes`;
}

/** For Postgres: what a file system keeps back for root is no room. */
async function roomOn(folder: string): Promise<{ free: number; all: number }> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { free: bavail * bsize, all: blocks * bsize };
}

/** When a drill last began, and when a restore was last proven. */
export async function lastDrills(settings: BackupSettings): Promise<{ begunAt: Date | null; provenAt: Date | null }> {
  const [row] = await onLiveServer(
    settings,
    (sql) => sql<{ begun: string | null; proven: string | null }[]>`
      select max(started_at)::text as begun, (max(ended_at) filter (where proven))::text as proven from ballast.restore_drill`,
  );
  const moment = (text: string | null | undefined) => (text ? new Date(text) : null);
  return { begunAt: moment(row?.begun), provenAt: moment(row?.proven) };
}
