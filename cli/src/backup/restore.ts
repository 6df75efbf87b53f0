import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
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
 * the folder finds all that done: before, it is not there.
 */
export async function restore(settings: BackupSettings, target: string, to: Date | 'latest'): Promise<Restored> {
  const folder = resolve(target);
  const becomesTheServer = folder === resolve(settings.dataFolder);
  if (becomesTheServer && (await isLive(settings))) {
    throw new BackupProblem('Postgres runs on that folder. Stop it first: docker compose stop postgres');
  }
  const place = placeFor(folder);
  const aside = makeRoom(folder);
  // What an earlier restore left there may hold the last of the log.
  const tried = place === folder ? null : makeRoom(place);
  const former = aside ?? tried;
  let recovered = false;
  let unsaved: string | null = null;
  let done: Restored;
  try {
    await fetchInto(settings, place, to);
    // Only now: pgBackRest saves WAL of nobody but a server that it sees.
    if (becomesTheServer) unsaved = await saveLastWal(seeing(settings, place), former);
    if (becomesTheServer && former) await bringUnfinishedWal(settings, former, place);
    done = await withPrivateServer(
      settings,
      { folder: place, keeps: becomesTheServer },
      async ({ sql, newestCommit }) => {
        recovered = true;
        const held = await holdAfterRestore(sql);
        // What recovery was told stands in the server's own file, where it would puzzle whoever reads it later.
        for (const name of recoveryWords) await sql.unsafe(`alter system reset ${name}`);
        return { target: folder, aside: former, newestCommit, held, unsaved };
      },
    );
  } catch (error) {
    // One that recovered has begun a timeline, which the repository may know: what stood here before must not go on beside it.
    if (recovered) throw notHeld(error, { folder, place, former });
    const was = [...(aside ? [{ from: aside, to: folder }] : []), ...(tried ? [{ from: tried, to: place }] : [])];
    if (place !== folder) rmSync(place, { recursive: true, force: true });
    for (const { from, to } of was) renameSync(from, to);
    if (was.length === 0 || !(error instanceof BackupProblem)) throw error;
    throw new BackupProblem(
      `${error.message}${unsaved ? `\n${notSaved(unsaved)}` : ''}\nNothing is changed: what was in ${folder} is there again.`,
    );
  }
  if (place !== folder) moveInto(folder, place);
  return done;
}

const seeing = (settings: BackupSettings, folder: string): BackupSettings => ({
  ...settings,
  pgbackrest: { ...settings.pgbackrest, PGBACKREST_PG1_PATH: folder },
});

/**
 * Where it becomes what it is to be: beside its place, since a server that starts on it before its jobs are held does again what
 * was done. Only a folder that cannot be replaced, such as an empty one that is mounted, has to do itself.
 */
function placeFor(folder: string): string {
  if (existsSync(folder) && readdirSync(folder).length === 0) {
    try {
      rmdirSync(folder);
    } catch {
      return folder;
    }
  }
  return `${folder}.not-held`;
}

function moveInto(folder: string, place: string): void {
  try {
    renameSync(place, folder);
  } catch (error) {
    throw new BackupProblem(
      `It is restored and its jobs are held, and it cannot be put into its place (${(error as Error).message}). ` +
        `Move ${place} to ${folder}, and then start Postgres.`,
    );
  }
}

interface Places {
  folder: string;
  place: string;
  former: string | null;
}

function notHeld(error: unknown, { folder, place, former }: Places): BackupProblem {
  // Without it no server starts.
  if (place === folder) renameSync(join(folder, 'global/pg_control'), join(folder, 'global/pg_control.not-held'));
  return new BackupProblem(
    [
      `The database is restored, and its open jobs could not be held: ${(error as Error).message}`,
      `It is in ${place}. Leave Postgres stopped: on what is there it would do again what was done, and on nothing it makes an empty database.`,
      ...(former
        ? [
            `What was in ${folder} before is in ${former}, and must not be started either: the backups went on without it.`,
          ]
        : []),
      'Mend that, and restore again.',
    ].join('\n'),
  );
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
