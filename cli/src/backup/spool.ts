/**
 * WAL on its way to the repository. Postgres' archive_command copies each finished
 * segment into the spool once `on` is there; from here it is pushed and removed. Until
 * then Postgres' own disk has it twice, so a repository that is away loses nothing.
 */
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pgbackrest, type RepositorySettings } from './pgbackrest.ts';
import type { BackupSettings } from './settings.ts';

/** A segment, or a note about timelines and backups that stands between them. */
const archived = /^[0-9A-F]{8}(\.history|[0-9A-F]{16}(\.partial|\.[0-9A-F]{8}\.backup)?)$/;

/** From now on Postgres keeps its WAL here. */
export function openSpool({ spool }: BackupSettings): void {
  const on = join(spool, 'on');
  if (!existsSync(on)) writeFileSync(on, 'WAL is kept here for the backups. Remove this file, and nothing is kept.\n');
}

export function spooled({ spool }: Pick<BackupSettings, 'spool'>): string[] {
  if (!existsSync(spool)) return [];
  return readdirSync(spool)
    .filter((name) => archived.test(name))
    .sort();
}

/**
 * Pushes everything that waits, and tells after each segment the moment before which every
 * commit is in the repository: a segment keeps the time of its last change. Another process may do the same
 * at once: a segment that is pushed twice is the same segment.
 */
export async function pushSpool(settings: RepositorySettings, saved: (until: Date) => void): Promise<void> {
  for (const name of spooled(settings)) {
    const file = join(settings.spool, name);
    const mtime = statSync(file, { throwIfNoEntry: false })?.mtime;
    if (!mtime) continue;
    try {
      await pgbackrest(settings, 'archive-push', [file]);
    } catch (error) {
      if (existsSync(file)) throw error;
    }
    rmSync(file, { force: true });
    if (/^[0-9A-F]{24}$/.test(name)) saved(mtime);
  }
}
