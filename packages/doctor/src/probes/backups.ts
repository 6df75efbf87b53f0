import type { Database } from '@ballast/db';
import { inContainers, inside, logs } from '../commands.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import type { Place } from '../subject.ts';
import { NotUsed } from '../view.ts';
import { duration } from '../words.ts';

/** The service says every half minute that it lives. */
const silentSeconds = 300;
/** What a backup and its drill may take themselves, beside the time that they are meant to become old in. */
const lateShare = 1.25;
/** Of a service that has not said. */
const everyHours = 24;
/** WAL leaves at least once a minute. */
const behindSeconds = 900;

interface State {
  seen: number;
  backup: number | null;
  behind: number | null;
  /** Before which every commit can be restored, in words that `ballast restore --to` takes. */
  point: string | null;
  problem: string | null;
  /** How old the service lets a backup become, and a proof. */
  backupEvery: number | null;
  drillEvery: number | null;
}

interface Drill {
  proven: boolean;
  seconds: number;
  problem: string | null;
  /** Since the newest that was proven. */
  provenSeconds: number | null;
}

export const backups: Probe = {
  name: 'backups',
  async look({ subject: { environment, place }, db: open }) {
    const db = await open();
    const [state, drill] = await Promise.all([readState(db), readDrill(db)]);
    if (state) {
      return { findings: [...judgeState(state, place), ...judgeDrill(drill, state, place)], says: tell(state, drill) };
    }
    if (environment === 'local') throw new NotUsed('a laptop needs none');
    return [
      finding('backups.none', {
        cause: 'No backups are taken of this database.',
        evidence: ['the service of backups never wrote its state'],
        fix: serve(place),
      }),
    ];
  },
};

async function readState(db: Database): Promise<State | null> {
  const [row] = await db.sql<State[]>`
    select extract(epoch from now() - seen_at)::float8 as seen, extract(epoch from now() - backup_at)::float8 as backup,
           extract(epoch from now() - recovery_point)::float8 as behind, problem,
           to_char(recovery_point at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as point,
           backup_every_hours as "backupEvery", drill_every_hours as "drillEvery"
    from ballast.backup_state`;
  return row ?? null;
}

/** The last that ended. */
async function readDrill(db: Database): Promise<Drill | null> {
  const [row] = await db.sql<Drill[]>`
    select proven, extract(epoch from now() - ended_at)::float8 as seconds, problem,
           (select extract(epoch from now() - max(ended_at))::float8 from ballast.restore_drill where proven) as "provenSeconds"
    from ballast.restore_drill where ended_at is not null order by id desc limit 1`;
  return row ?? null;
}

/** Of a healthy installation too: how much an accident would cost now, and why to believe it. */
function tell({ point, behind }: State, drill: Drill | null): string {
  const reach =
    point === null || behind === null
      ? 'Nothing can be restored yet'
      : `Any moment up to ${point} (${duration(behind)} ago) can be restored`;
  const proof =
    drill?.provenSeconds == null
      ? 'no restore was ever proven'
      : `the last proven restore is ${duration(drill.provenSeconds)} old`;
  return `${reach}; ${proof}.`;
}

const oldSeconds = (hours: number | null) => (hours ?? everyHours) * lateShare * 3_600;

function judgeState({ seen, backup, behind, problem, backupEvery }: State, place: Place): Finding[] {
  const point = behind === null ? 'nothing can be restored yet' : `the recovery point is ${duration(behind)} old`;
  if (seen > silentSeconds) {
    const cause = 'The service that takes backups is gone.';
    return [
      finding('backups.silent', { cause, evidence: [`last heard ${duration(seen)} ago`, point], fix: serve(place) }),
    ];
  }
  const found: Finding[] = [];
  if (problem !== null) {
    found.push(
      finding('backups.failing', { cause: 'The last backup failed.', evidence: [problem, point], fix: take(place) }),
    );
  } else if (backup === null || backup > oldSeconds(backupEvery)) {
    const cause = backup === null ? 'There is no backup yet.' : `The newest backup is ${duration(backup)} old.`;
    found.push(finding('backups.old', { cause, evidence: [point], fix: take(place) }));
  }
  if (behind !== null && behind > behindSeconds) {
    found.push(
      finding('backups.behind', {
        cause: `What was committed in the last ${duration(behind)} is in no backup: the log does not leave this server.`,
        evidence: [point],
        fix: inContainers(place) ? logs(place, 'backup') : 'Read the log of the service.',
      }),
    );
  }
  return found;
}

function judgeDrill(drill: Drill | null, { backup, drillEvery }: State, place: Place): Finding[] {
  const fix = inside(place, 'backup', 'backup drill');
  if (!drill) {
    if (backup === null) return [];
    const cause = 'No backup was ever restored: whether one can be is not known.';
    return [finding('restore.never_proven', { cause, evidence: [], fix })];
  }
  const proven =
    drill.provenSeconds === null ? 'none was ever proven' : `proven last ${duration(drill.provenSeconds)} ago`;
  if (!drill.proven) {
    const cause = 'The last trial of a restore failed.';
    return [finding('restore.failed', { cause, evidence: [drill.problem ?? 'without a reason', proven], fix })];
  }
  if (drill.seconds <= oldSeconds(drillEvery)) return [];
  const cause = `The last proven restore is ${duration(drill.seconds)} old.`;
  return [finding('restore.old', { cause, evidence: [proven], fix })];
}

function serve(place: Place): string {
  if (place === 'compose') return 'docker compose --profile backup up -d';
  return inContainers(place)
    ? 'COMPOSE_PROFILES=backup deploy/stack.sh'
    : 'ballast backup serve, beside Postgres (docs/backups.md)';
}

const take = (place: Place) => inside(place, 'backup', 'backup');
