import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Held, holdAfterRestore } from '@ballast/jobs/after-restore';
import { BackupProblem } from './backup-problem.ts';
import { bringUnfinishedWal, saveLastWal } from './last-wal.ts';
import { isLive } from './live-server.ts';
import { pgbackrest } from './pgbackrest.ts';
import { withPrivateServer } from './private-server.ts';
import type { BackupSettings } from './settings.ts';

export interface Restored {
  target: string;
  /** Where what stood in the target's place is now. */
  aside: string | null;
  newestCommit: Date | null;
  held: Held;
  /** Why the last of the log could not be saved before; null when it was, or there was none. */
  unsaved: string | null;
}

/**
 * Restores into `target`, recovers there, and puts every job that was open at that moment
 * aside: what was done after it would otherwise be done again. The server that starts on
 * the folder finds all that done.
 */
export async function restore(settings: BackupSettings, target: string, to: Date | 'latest'): Promise<Restored> {
  const folder = resolve(target);
  const becomesTheServer = folder === resolve(settings.dataFolder);
  if (becomesTheServer && (await isLive(settings))) {
    throw new BackupProblem('Postgres runs on that folder. Stop it first: docker compose stop postgres');
  }
  const aside = makeRoom(folder);
  let recovered = false;
  let unsaved: string | null = null;
  try {
    await fetchInto(settings, folder, to);
    // Only now: pgBackRest saves WAL of nobody but a server that it sees.
    if (becomesTheServer) unsaved = await saveLastWal(settings, aside);
    if (becomesTheServer && aside) await bringUnfinishedWal(settings, aside, folder);
    return await withPrivateServer(settings, { folder, keeps: becomesTheServer }, async ({ sql, newestCommit }) => {
      recovered = true;
      const held = await holdAfterRestore(sql);
      // What recovery was told stands in the server's own file, where it would puzzle whoever reads it later.
      for (const name of recoveryWords) await sql.unsafe(`alter system reset ${name}`);
      return { target: folder, aside, newestCommit, held, unsaved };
    });
  } catch (error) {
    // One that recovered has begun a timeline, which the repository may know: what stood here before must not go on beside it.
    if (recovered || aside === null || !(error instanceof BackupProblem)) throw error;
    rmSync(folder, { recursive: true });
    renameSync(aside, folder);
    throw new BackupProblem(
      `${error.message}${unsaved ? `\n${notSaved(unsaved)}` : ''}\nNothing is changed: what was in ${folder} is there again.`,
    );
  }
}

/** For whoever restores, who may miss a minute. */
export const notSaved = (why: string) =>
  `The last of what Postgres wrote could not be saved first, stays where it is, and may be missing: ${why}`;

/** The newest base backup before that moment, and how to fetch the WAL behind it. */
export async function fetchInto(settings: BackupSettings, folder: string, to: Date | 'latest'): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const until =
    to === 'latest' ? ['--type=default'] : ['--type=time', `--target=${inPostgres(to)}`, '--target-action=promote'];
  await pgbackrest(settings, 'restore', [`--pg1-path=${folder}`, ...until]);
}

const recoveryWords = ['restore_command', 'recovery_target_time', 'recovery_target_action', 'recovery_target_timeline'];

const inPostgres = (moment: Date) => moment.toISOString().replace('T', ' ').replace('Z', '+00');

/** What is there is kept: whoever restores is often not sure yet. */
function makeRoom(folder: string): string | null {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return null;
  const aside = `${folder}.before-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  try {
    renameSync(folder, aside);
  } catch (error) {
    const why = (error as Error).message;
    throw new BackupProblem(`What stands in ${folder} cannot be set aside (${why}). Move it away, and try again.`);
  }
  return aside;
}
