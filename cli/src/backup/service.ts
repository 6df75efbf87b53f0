/**
 * The service of the profile `backup`: pushes WAL as it comes, takes base backups and
 * runs drills when the newest is too old. What is due is read from the repository and the
 * database, so that a restart neither repeats nor forgets anything.
 */
import { setTimeout as sleep } from 'node:timers/promises';
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
/** The most between attempts that fail: soon enough to matter, seldom enough to be read. */
const againAfterMs = 10 * 60_000;

/** Runs until `signal`; what is under way then is ended by its own process. */
export async function runBackupService(settings: BackupSettings, log: ServiceLog, signal: AbortSignal): Promise<void> {
  const known: Known = { recoveryPoint: null, pushProblem: null, problem: null, failures: 0 };
  await until(signal, () => prepare(settings), log, 'the repository is not ready');
  // Side by side: a backup waits for WAL to be pushed, and whoever reads the state wants to know that we live meanwhile.
  await Promise.all([
    repeat(signal, pushEveryMs, () => push(settings, known, log, signal)),
    repeat(signal, lookEveryMs, () => doDue(settings, known, log, signal)),
    repeat(signal, lookEveryMs, () => tell(settings, known, log)),
  ]);
}

interface Known {
  recoveryPoint: Date | null;
  pushProblem: string | null;
  problem: string | null;
  /** In a row. */
  failures: number;
}

async function prepare(settings: BackupSettings): Promise<void> {
  await pgbackrest(settings, 'stanza-create');
  // Only now: what Postgres keeps from here on has a place to go.
  openSpool(settings);
}

async function push(settings: BackupSettings, known: Known, log: ServiceLog, signal: AbortSignal): Promise<void> {
  try {
    await pushSpool(settings, (until) => {
      if (known.recoveryPoint === null || until > known.recoveryPoint) known.recoveryPoint = until;
    });
    known.pushProblem = null;
  } catch (error) {
    known.pushProblem = (error as Error).message;
    log.error({ error: known.pushProblem }, 'WAL was not saved; it waits');
    await pause(5_000, signal);
  }
}

async function doDue(settings: BackupSettings, known: Known, log: ServiceLog, signal: AbortSignal): Promise<void> {
  try {
    await doWhatIsDue(settings, log);
    known.problem = null;
    known.failures = 0;
  } catch (error) {
    known.problem = (error as Error).message;
    known.failures += 1;
    log.error({ error: known.problem }, 'no backup was taken');
    await tell(settings, known, log);
    // Postgres that was away for a moment is back by the next look.
    await pause(Math.min(againAfterMs, lookEveryMs * (2 ** (known.failures - 1) - 1)), signal);
  } finally {
    // At once, and not half a minute later: somebody may be waiting for the first.
    await tell(settings, known, log);
  }
}

async function tell(settings: BackupSettings, known: Known, log: ServiceLog): Promise<void> {
  try {
    let readProblem: string | null = null;
    const backups = await listBackups(settings).catch((error: Error) => {
      readProblem = error.message;
      return null;
    });
    await writeState(settings, {
      backups,
      recoveryPoint: known.recoveryPoint,
      problem: known.problem ?? known.pushProblem ?? readProblem,
    });
  } catch (error) {
    log.error({ error: (error as Error).message }, 'the state of the backups cannot be written');
  }
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

/** Ends early, and quietly, when `signal` aborts. */
const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => {});
