/** Everything that a run will do, from its seed alone: which jobs are added when, and who is killed when. */
import type { Label } from './expectations.ts';
import type { Kind, Payload } from './kinds.ts';
import { openRandom, type Random } from './random.ts';

export interface PlannedJob {
  label: Label;
  kind: Kind;
  payload: Payload;
  runAfterMs: number | null;
  key: string | null;
  priority: number;
  discardAfterMs: number | null;
}

/** Jobs that one commit adds, for one tenant. */
export interface PlannedCommit {
  atMs: number;
  tenant: number;
  /** Nothing of it may be seen. */
  rollsBack: boolean;
  jobs: PlannedJob[];
}

export const disasters = {
  'kill a worker': 62,
  'kill a dispatcher': 12,
  'terminate a worker': 9,
  'freeze a worker': 5,
  'delete keys': 4,
  'kill Redis': 3,
  'flush Redis': 3,
  'end sessions': 2,
};
export type Disaster = keyof typeof disasters;
const ofRedis: readonly Disaster[] = ['delete keys', 'kill Redis', 'flush Redis'];

export interface PlannedDisaster {
  atMs: number;
  what: Disaster;
  /** Chooses among those that are there at the moment. */
  victim: number;
  /** How long it lasts, for those that last. */
  forMs: number;
}

export interface Plan {
  seed: number;
  commits: PlannedCommit[];
  disasters: PlannedDisaster[];
  /** For the n-th process that starts: where it kills itself, or null. */
  failpointOf(started: number): string | null;
}

export interface PlanOptions {
  seed: number;
  jobs: number;
  kills: number;
  /** How long jobs are added and processes killed. */
  durationMs: number;
  redis: boolean;
  /** The longest freeze and the longest absence of Redis. */
  longestMs: { freeze: number; absence: number };
}

export const tenants = 12;

export function makePlan(options: PlanOptions): Plan {
  const { seed } = options;
  // Streams of their own: another number of kills leaves the jobs as they are.
  return {
    seed,
    commits: planCommits(openRandom(seed), options),
    disasters: planDisasters(openRandom(seed ^ 0x6b696c6c), options),
    failpointOf: (started) => planFailpoint(openRandom(seed ^ (0x66616c6c + started * 7_919))),
  };
}

const weights: Record<Exclude<Label, 'child' | 'poison' | 'deadly'>, number> = {
  transaction: 24,
  plain: 22,
  batch: 15,
  steps: 10,
  mail: 7,
  keyed: 7,
  limited: 4,
  parent: 4,
  once: 2.5,
  snoozing: 1.5,
  doomed: 1.5,
  cancelling: 1,
  stale: 1,
  risky: 0.5,
};

/** Commits of one to forty jobs, in bursts: under a burst rows share packs, and between bursts workers are idle. */
function planCommits(random: Random, { jobs, durationMs }: PlanOptions): PlannedCommit[] {
  const commits: PlannedCommit[] = [];
  let n = 0;
  for (let left = jobs; left > 0; ) {
    const size = Math.min(left, random.chance(0.5) ? random.between(1, 4) : random.between(10, 40));
    const planned = Array.from({ length: size }, () => planJob(random, n++));
    // One tenant has half of the work.
    const tenant = random.chance(0.5) ? 0 : random.between(1, tenants - 1);
    const burst = random.chance(0.5) ? Math.floor(random.next() * (durationMs / 2_500)) * 2_500 : null;
    const atMs = burst ?? random.next() * durationMs;
    const rollsBack = random.chance(0.02);
    if (!rollsBack) left -= size;
    commits.push({ atMs, tenant, rollsBack, jobs: planned });
  }
  commits.sort((a, b) => a.atMs - b.atMs);
  poison(random, commits, jobs);
  return commits;
}

/** A few take their worker down. They come early: each costs half a minute and more to bury. */
function poison(random: Random, commits: readonly PlannedCommit[], jobs: number): void {
  const early = commits.slice(0, Math.ceil(commits.length / 3)).filter((commit) => !commit.rollsBack);
  for (let left = Math.max(1, Math.round(jobs / 2_500)); left > 0; left--) {
    become(random.pick(random.pick(early).jobs), 'poison', 'poison');
  }
  for (let left = Math.floor(jobs / 5_000); left > 0; left--) {
    const { jobs: neighbours } = random.pick(early);
    for (const job of neighbours) become(job, 'risky', 'risky');
    become(random.pick(neighbours), 'deadly', 'risky');
  }
}

function become(job: PlannedJob, label: Label, kind: Kind): void {
  const kills = label === 'poison' || label === 'deadly';
  Object.assign(job, { label, kind, key: null, discardAfterMs: null, runAfterMs: null });
  job.payload = { ...job.payload, failures: 0, pauseMs: kills ? 0 : job.payload.pauseMs, kills };
}

function planJob(random: Random, n: number): PlannedJob {
  const kind = random.weighted(weights);
  const quick = random.chance(kind === 'batch' || kind === 'plain' || kind === 'transaction' ? 0.9 : 0.6);
  const pauseMs = quick
    ? random.between(0, 5)
    : random.chance(0.9)
      ? random.between(20, 500)
      : random.between(500, 3_000);
  const fails = kind !== 'once' && random.chance(0.08);
  return {
    label: kind,
    kind,
    payload: {
      n,
      pauseMs,
      pauseAt: random.pick(['start', 'outside', 'commit']),
      failures: fails ? random.between(1, 3) : 0,
      kills: false,
    },
    runAfterMs: random.chance(0.08) ? random.between(200, 12_000) : null,
    key: kind === 'keyed' ? `key-${random.between(1, 6)}` : null,
    priority: random.chance(0.2) ? random.between(-2, 5) : 0,
    discardAfterMs: kind === 'stale' ? random.between(200, 6_000) : null,
  };
}

function planDisasters(random: Random, { kills, durationMs, redis, longestMs }: PlanOptions): PlannedDisaster[] {
  const possible = (Object.keys(disasters) as Disaster[]).filter((what) => redis || !ofRedis.includes(what));
  const weights = Object.fromEntries(possible.map((what) => [what, disasters[what]])) as Record<Disaster, number>;
  // Of each at least one, however short the run.
  const chosen = Array.from({ length: kills }, (_, at) => possible[at] ?? random.weighted(weights));
  const planned = random.shuffle(chosen).map((what, at): PlannedDisaster => {
    const longest = what === 'freeze a worker' ? longestMs.freeze : longestMs.absence;
    const forMs = random.between(Math.min(300, longest), longest);
    const atMs = ((at + 0.2 + random.next() * 0.8) / kills) * durationMs;
    // What lasts is over when the rest is.
    return { what, victim: random.between(0, 1_000_000), forMs, atMs: Math.min(atMs, Math.max(0, durationMs - forMs)) };
  });
  // One freeze is long enough that its jobs are given to others, also in a short run, and comes early enough for that.
  const freeze = planned.find((disaster) => disaster.what === 'freeze a worker');
  if (freeze) Object.assign(freeze, { forMs: longestMs.freeze, atMs: durationMs * 0.2, victim: 0 });
  return planned.sort((a, b) => a.atMs - b.atMs);
}

/** Some processes die at the moments that random kills hit too seldom, at their n-th passage. */
function planFailpoint(random: Random): string | null {
  if (!random.chance(0.35)) return null;
  const where = random.pick(['dispatch.marked', 'run.started', 'run.before-commit', 'run.committed']);
  return `${where}=kill@${random.between(1, 15)}`;
}
