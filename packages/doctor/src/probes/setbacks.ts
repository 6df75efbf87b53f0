import type { Database } from '@ballast/db';
import { ballast, logs } from '../commands.ts';
import { type Code, type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import type { Place } from '../subject.ts';
import type { Member } from '../view.ts';
import { count, duration } from '../words.ts';

interface Row {
  what: 'dead' | 'parked' | 'held' | 'unopened' | 'failing';
  queue: string;
  name: string;
  code: string | null;
  jobs: number;
  latestSecondsAgo: number | null;
}

const countedAtMost = 100_000;

export const setbacks: Probe = {
  name: 'jobs succeed',
  async look({ subject: { place }, db, fleet }) {
    const [found, members] = [await read(await db()), await fleet()];
    const rows = found.filter(({ what, queue }) => what !== 'unopened' || hasFreeSlots(members, queue));
    return [...Map.groupBy(rows, ({ what }) => what)].map(([what, of]) => explain(what, of, place));
  },
};

function read(db: Database): Promise<Row[]> {
  return db.sql<Row[]>`
    select what, queue, name, code, jobs, extract(epoch from now() - latest)::float8 as "latestSecondsAgo"
    from jobs.setbacks(${countedAtMost}) order by jobs desc, name`;
}

/** With every slot busy, a pack that was handed out waits for one, and that is no fault. */
function hasFreeSlots(members: readonly Member[], queue: string): boolean {
  const serving = members.filter(({ alive, slots }) => alive && queue in slots);
  const slots = serving.reduce((sum, member) => sum + (member.slots[queue] ?? 0), 0);
  return serving.reduce((sum, { packs }) => sum + packs, 0) < slots;
}

function explain(what: Row['what'], rows: readonly Row[], place: Place): Finding {
  const { code, cause, fix } = words[what](place);
  return finding(code, { cause, evidence: rows.slice(0, 10).map(line), fix });
}

function line({ name, queue, jobs, code, latestSecondsAgo }: Row): string {
  const last = latestSecondsAgo === null ? '' : `, last ${duration(latestSecondsAgo)} ago`;
  return `${count(jobs, 'job')} ${name} in ${queue}${code ? `: ${code}` : ''}${last}`;
}

const words: Record<Row['what'], (place: Place) => { code: Code; cause: string; fix: string }> = {
  dead: (place) => ({
    code: 'jobs.dead',
    cause: 'Jobs are dead: they failed as often as they may. They stay until somebody decides.',
    fix: `${ballast(place, 'jobs list --state dead')}, then jobs retry or jobs cancel`,
  }),
  failing: (place) => ({
    code: 'jobs.failing',
    cause: 'Jobs fail and are tried again. What the code says is what the handler ran into.',
    fix: `${ballast(place, 'jobs list')} shows each failure; ${logs(place, 'worker')}`,
  }),
  parked: (place) => ({
    code: 'jobs.parked',
    cause: 'Jobs are parked: no living worker knows them. Their module is off, or the workers are of another build.',
    fix: `Switch the module on and deploy, or ${ballast(place, 'jobs list --state parked')} and cancel them.`,
  }),
  held: (place) => ({
    code: 'jobs.held',
    cause:
      'Jobs are held, by an operator or after a restore: what was done after that point would otherwise be done again.',
    fix: `${ballast(place, 'jobs list --state held')}; jobs cancel what must not run again, then: ${ballast(place, 'jobs release --all')}`,
  }),
  unopened: (place) => ({
    code: 'jobs.unopened',
    cause: 'Jobs were handed out more than a minute ago, and no worker has begun them.',
    fix: `${logs(place, 'worker')}, then start the worker again`,
  }),
};
