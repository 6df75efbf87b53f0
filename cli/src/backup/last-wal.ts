/**
 * The last commits before a restore. Postgres hands a segment of its log over when it is full or a minute old: what it
 * wrote since then is in its own folder alone, and what the service has not pushed yet is in the spool.
 */
import { constants, copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sentenceOf } from './backup-problem.ts';
import { pgbackrest, systemOfRepository } from './pgbackrest.ts';
import type { BackupSettings } from './settings.ts';
import { pushSpool } from './spool.ts';

/**
 * Saves what waits: in the spool, and finished in the `former` server's folder, when there is one and it is the one whose
 * backups these are. Returns why that was not possible: then it stays where it is, and the restore does without it.
 */
export async function saveLastWal(settings: BackupSettings, former: string | null): Promise<string | null> {
  try {
    await pushSpool(settings, () => {});
    if (former === null || !(await isItsFolder(settings, former))) return null;
    for (const name of finished(former)) await pgbackrest(settings, 'archive-push', [join(former, 'pg_wal', name)]);
    return null;
  } catch (error) {
    const why = sentenceOf(error);
    if (why === null) throw error;
    return why;
  }
}

/**
 * Copies what is not finished yet. Recovery looks into `pg_wal` for a segment that the repository does not have, as after a
 * crash; a segment that is only prepared for later use ends it, as there (PostgreSQL, "Recovering Using a Continuous Archive Backup").
 */
export async function bringUnfinishedWal(settings: BackupSettings, from: string, to: string): Promise<void> {
  if (!(await isItsFolder(settings, from))) return;
  for (const name of readdirSync(join(from, 'pg_wal'))) {
    if (!segment.test(name) || existsSync(join(from, 'pg_wal/archive_status', `${name}.done`))) continue;
    copyFileSync(join(from, 'pg_wal', name), join(to, 'pg_wal', name), constants.COPYFILE_FICLONE);
  }
}

const segment = /^[0-9A-F]{24}$/;

/** Segments, and notes about timelines, that the server wanted to hand over when it ended. */
const finished = (folder: string) =>
  readdirSync(join(folder, 'pg_wal/archive_status'))
    .filter((name) => name.endsWith('.ready'))
    .map((name) => name.slice(0, -'.ready'.length))
    .filter((name) => existsSync(join(folder, 'pg_wal', name)))
    .sort();

/** A server that was made by itself on an empty folder, before the restore into it, has a log that is not ours to save. */
async function isItsFolder(settings: BackupSettings, folder: string): Promise<boolean> {
  const control = join(folder, 'global/pg_control');
  if (!existsSync(control)) return false;
  // Its first field is the system identifier (PostgreSQL, src/include/catalog/pg_control.h).
  return readFileSync(control).readBigUInt64LE(0) === (await systemOfRepository(settings));
}
