/**
 * The service of the profile `backup`: pushes WAL as it comes, takes base backups and
 * runs drills when the newest is too old. What is due is read from the repository and the
 * database, so that a restart neither repeats nor forgets anything.
 */
import { drill } from './drill.ts';
import { listBackups, pgbackrest } from './pgbackrest.ts';
import type { BackupSettings } from './settings.ts';
import { openSpool, pushSpool } from './spool.ts';
import { lastDrills, writeState } from './state.ts';
import { takeBackup } from './take-backup.ts';

export interface ServiceLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const pushEveryMs = 1_000;
const lookEveryMs = 30_000;
/** After a failure: soon enough to matter, seldom enough to be read. */
const againAfterMs = 10 * 60_000;

/** Runs until `signal`; what is under way then is ended by its own process. */
export async function runBackupService(settings: BackupSettings, log: ServiceLog, signal: AbortSignal): Promise<void> {
  const known: Known = { recoveryPoint: null, pushProblem: null, problem: null, retryAt: 0 };
  await until(signal, () => prepare(settings), log, 'the repository is not ready');
  const pushing = repeat(signal, pushEveryMs, async () => {
    try {
      const pushedUntil = await pushSpool(settings);
      if (pushedUntil) known.recoveryPoint = pushedUntil;
      known.pushProblem = null;
    } catch (error) {
      known.pushProblem = (error as Error).message;
      log.error({ error: known.pushProblem }, 'WAL was not saved; it waits');
      await pause(5_000, signal);
    }
  });
  const looking = repeat(signal, lookEveryMs, () =>
    look(settings, known, log).catch((error: Error) =>
      log.error({ error: error.message }, 'the backups could not be looked at'),
    ),
  );
  await Promise.all([pushing, looking]);
}

interface Known {
  recoveryPoint: Date | null;
  pushProblem: string | null;
  problem: string | null;
  retryAt: number;
}

async function prepare(settings: BackupSettings): Promise<void> {
  await pgbackrest(settings, 'stanza-create');
  // Only now: what Postgres keeps from here on has a place to go.
  openSpool(settings);
}

async function look(settings: BackupSettings, known: Known, log: ServiceLog): Promise<void> {
  if (performance.now() >= known.retryAt) {
    try {
      await doWhatIsDue(settings, log);
      known.problem = null;
    } catch (error) {
      known.problem = (error as Error).message;
      known.retryAt = performance.now() + againAfterMs;
      log.error({ error: known.problem }, 'no backup was taken');
    }
  }
  await writeState(settings, {
    backups: await listBackups(settings),
    recoveryPoint: known.recoveryPoint,
    problem: known.problem ?? known.pushProblem,
  });
}

async function doWhatIsDue(settings: BackupSettings, log: ServiceLog): Promise<void> {
  const backups = await listBackups(settings);
  const ageMs = (at: number | undefined) => (at === undefined ? Number.POSITIVE_INFINITY : Date.now() - at * 1_000);
  const fullAge = ageMs(backups.findLast(({ kind }) => kind === 'full')?.startedAt);
  if (fullAge >= settings.fullEveryMs || ageMs(backups.at(-1)?.startedAt) >= settings.backupEveryMs) {
    const taken = await takeBackup(settings, fullAge >= settings.fullEveryMs ? 'full' : 'diff');
    log.info({ backup: taken.label, bytes: taken.stored }, 'backup taken');
  }
  const { begunAt, provenAt } = await lastDrills(settings);
  const since = (moment: Date | null) => (moment ? Date.now() - moment.getTime() : Number.POSITIVE_INFINITY);
  if (since(provenAt) < settings.drillEveryMs || since(begunAt) < Math.min(againAfterMs * 6, settings.drillEveryMs))
    return;
  const drilled = await drill(settings);
  if (drilled.proven) log.info(drilled, 'a restore was tried, and everything came back');
  else log.error(drilled, 'a restore was tried, and failed');
}

async function until(
  signal: AbortSignal,
  work: () => Promise<void>,
  log: ServiceLog,
  otherwise: string,
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await work();
    } catch (error) {
      log.error({ error: (error as Error).message }, otherwise);
      await pause(5_000, signal);
    }
  }
}

async function repeat(signal: AbortSignal, everyMs: number, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work();
    await pause(everyMs, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
