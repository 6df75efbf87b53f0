/**
 * What the tables of jobs ought to say, kept in plain objects. It knows each job's one
 * place, its starts and its effects, and no SQL, no lock and no clock: time passes when
 * a command says so.
 */

import { limits } from './system.ts';

export type Place = 'due' | 'later' | 'aside' | 'held' | 'out' | 'done' | 'dead' | 'cancelled';

export interface ModelJob {
  id: string;
  name: string;
  /** Of the version that only a deployed process knows. */
  foreign: boolean;
  tenant: string;
  attempts: number;
  place: Place;
  /** Where it waits when it is released. */
  heldFrom: 'due' | 'later';
  /** In `later`: its time has come, and nobody has looked yet. */
  ripe: boolean;
  /** Charged starts. */
  attempt: number;
  alone: boolean;
  /** Charged when its pack was opened, since it was alone in there. */
  started: boolean;
  /** `discardAfter`: none, in the future, or in the past. */
  discard: 'none' | 'ahead' | 'passed';
  key: string | null;
  /** Each part of its work that is committed. */
  effects: Set<string>;
}

export interface ModelPack {
  id: string;
  name: string;
  /** In the order in which they run. */
  jobs: ModelJob[];
  /** The queue holds it. */
  queued: boolean;
  /** The process that opened it. */
  runner: string | null;
  /** Its runner's last heartbeat came after the opening, and named it or not; null before one came. */
  named: boolean | null;
}

/** A pack under way, as its worker sees it: it keeps the rows that it read, whatever becomes of them. */
export interface ModelRun {
  pack: ModelPack;
  rows: { job: ModelJob; attempt: number; stale: boolean }[];
  /** The row whose handler runs. */
  at: number;
  /** What has not begun goes back: its queue was paused at the opening, or its process takes no more. */
  givesBack: boolean;
  /** The fence told it that a row is another's now: it leaves the pack to the sweep. */
  lost: boolean;
}

export class Model {
  jobs: ModelJob[] = [];
  packs: ModelPack[] = [];
  runs: ModelRun[] = [];
  /** Every pack there ever was: a queue may hand one out again. */
  packIds: string[] = [];
  paused = false;
  /** Some process can run the foreign kind. */
  knowsForeign = false;
  /** Nobody has known the foreign kind for a minute. */
  foreignForgotten = false;
  /** Processes whose heartbeats arrive. */
  living = new Set<string>();

  open(): ModelJob[] {
    return this.jobs.filter((job) => !['done', 'dead', 'cancelled'].includes(job.place));
  }

  at(place: Place): ModelJob[] {
    return this.jobs.filter((job) => job.place === place);
  }

  /** As many packs of its kind are out as may be. */
  atLimit(name: string): boolean {
    return this.packs.filter((pack) => pack.name === name).length >= (limits.get(name) ?? Number.POSITIVE_INFINITY);
  }

  /** Waits again, in the line or until its time comes. */
  again(job: ModelJob, place: 'due' | 'later'): void {
    this.leavePacks(job);
    job.place = place;
    job.ripe = false;
    job.started = false;
  }

  /** It waits, or is on its way: nobody has begun it. */
  canHold(job: ModelJob): boolean {
    if (['due', 'later', 'aside'].includes(job.place)) return true;
    return job.place === 'out' && this.packs.some((pack) => pack.runner === null && pack.jobs.includes(job));
  }

  hold(job: ModelJob): void {
    this.leavePacks(job);
    job.heldFrom = job.place === 'later' && !job.ripe ? 'later' : 'due';
    job.place = 'held';
    job.ripe = false;
    job.key = null;
  }

  end(job: ModelJob, place: 'done' | 'dead' | 'cancelled'): void {
    job.place = place;
    job.key = null;
  }

  leavePacks(job: ModelJob): void {
    for (const pack of this.packs) pack.jobs = pack.jobs.filter((member) => member !== job);
  }

  /** Whether an outcome or an effect of this run still counts. */
  holds(run: ModelRun, job: ModelJob): boolean {
    return this.packs.includes(run.pack) && run.pack.jobs.includes(job) && job.place === 'out';
  }

  /** The pack is gone; what was open in it waits again. Returns how many. */
  returnPack(pack: ModelPack, { suspect }: { suspect: boolean }): number {
    this.packs = this.packs.filter((one) => one !== pack);
    const returned = pack.jobs.filter((member) => member.place === 'out');
    for (const job of returned) {
      job.alone ||= suspect;
      this.again(job, 'due');
    }
    return returned.length;
  }

  /** Of a runner that lives, a pack is given up when a heartbeat after its opening does not name it. */
  isOrphan(pack: ModelPack): boolean {
    return pack.runner !== null && (!this.living.has(pack.runner) || pack.named === false);
  }

  /**
   * Their runners are gone: what was charged stays so, and may be dead by it. Of those that
   * ran beside each other only the first waits in the line; the others follow later. Returns
   * how many jobs it concerned.
   */
  sweepOrphans(packs: readonly ModelPack[]): number {
    const single = packs.filter((pack) => pack.jobs.length === 1).map((pack) => pack.jobs[0] as ModelJob);
    const [first] = single.map((job) => job.id).sort();
    const open = packs.flatMap((pack) => pack.jobs.filter((job) => job.place === 'out'));
    this.packs = this.packs.filter((pack) => !packs.includes(pack));
    for (const job of open) {
      job.alone = true;
      if (job.started && job.attempt >= job.attempts) this.end(job, 'dead');
      else this.again(job, single.includes(job) && job.id !== first ? 'later' : 'due');
    }
    return open.length;
  }

  /** A heartbeat of this process. */
  beat(runner: string): void {
    this.living.add(runner);
    for (const pack of this.packs.filter((one) => one.runner === runner)) {
      pack.named = this.runs.some((run) => run.pack === pack);
    }
  }
}
