import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '@ballast/db';
import type { Redis } from 'ioredis';
import { logs, set } from '../commands.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import type { Place } from '../subject.ts';
import { duration } from '../words.ts';

const epochKey = 'ballast:epoch';
/** Younger than this it may still be on the move. */
const settledSeconds = 10;
const sampleMs = 100;
/** Dispatchers compare the marks every second. By the clock, and not by so many samples: on a busy machine each of them takes longer. */
const watchMs = 4_000;
const toldForSeconds = 600;

interface Mark {
  value: string;
  seconds: number;
  losses: number;
}

/**
 * The queue's Redis carries the mark that Postgres has. Marks that differ, or that change
 * all the time, tell of a Redis that is not the workers', or of two stacks that take turns.
 */
export const epoch: Probe = {
  name: 'queue is the workers’ one',
  async look({ subject: { place }, db: open, queue, fleet }) {
    const [db, redis] = await Promise.all([open(), queue()]);
    const [mark, carried] = await Promise.all([readMark(db), redis.get(epochKey)]);
    const living = (await fleet()).filter(({ alive }) => alive);
    if (!mark) return [];
    if (carried === mark.value && mark.seconds > settledSeconds) return wipeOf(mark);
    // Nobody is there to write a mark: what is missing is a worker, and that is said elsewhere.
    if (living.length === 0) return wipeOf(mark);
    return judge(await watch(db, redis, mark), place);
  },
};

async function readMark(db: Database): Promise<Mark | null> {
  const [row] = await db.sql<Mark[]>`
    select value, extract(epoch from now() - since)::float8 as seconds, losses from jobs.epoch`;
  return row ?? null;
}

/** Every value that either side had meanwhile, and the last of each. */
async function watch(db: Database, redis: Redis, mark: Mark) {
  const seen = { postgres: new Set<string>(), redis: new Set<string>(), same: false, mark };
  const until = performance.now() + watchMs;
  while (performance.now() < until) {
    const [now, carried] = await Promise.all([readMark(db), redis.get(epochKey)]);
    seen.mark = now ?? mark;
    seen.postgres.add(seen.mark.value);
    if (carried) seen.redis.add(carried);
    seen.same = seen.mark.value === carried;
    await pause(sampleMs);
  }
  return seen;
}

function judge({ postgres, redis, same, mark }: Awaited<ReturnType<typeof watch>>, place: Place): Finding[] {
  // As it is now: what was lost a moment ago may have been noticed meanwhile.
  const wiped = wipeOf(mark);
  const still = postgres.size === 1 && redis.size <= 1;
  if (still && same) return wiped;
  const foreign = [...redis].filter((value) => !postgres.has(value)).length;
  const absent = [...postgres].filter((value) => !redis.has(value)).length;
  const evidence = [
    `marks in ${watchMs / 1_000} s: ${postgres.size} in Postgres, ${redis.size} in Redis, ${foreign} of them from elsewhere`,
  ];
  if (still) {
    return [
      finding('queue.not_the_workers', {
        cause:
          'The Redis of REDIS_QUEUE_URL here is not the one that the workers use: theirs carries the mark of this database, this one does not.',
        evidence,
        fix: set(place, 'worker', 'the same REDIS_QUEUE_URL as for the API'),
      }),
    ];
  }
  if (foreign > 0 && foreign >= absent) {
    return [
      finding('queue.two_stacks', {
        cause: 'Two stacks share one queue: another database writes its mark into the Redis of REDIS_QUEUE_URL.',
        evidence,
        fix: 'Give each stack a Redis of its own, or a logical database (redis://host:6379/1).',
      }),
    ];
  }
  // One change is what a wipe that was just mended looks like.
  if (postgres.size <= 2 && same) return wiped;
  return [
    finding('queue.workers_disagree', {
      cause: 'Workers of this database use different queues: they overwrite the mark in Postgres by turns.',
      evidence,
      fix: `Give all workers the same REDIS_QUEUE_URL. See ${logs(place, 'worker')}`,
    }),
  ];
}

function wipeOf({ seconds, losses }: Mark): Finding[] {
  if (losses === 0 || seconds >= toldForSeconds) return [];
  return [
    finding('queue.wiped', {
      cause:
        'The queue’s Redis lost its data. What waited in it was returned to Postgres and handed out again: no job is lost.',
      evidence: [`lost ${duration(seconds)} ago, and ${losses} times in all`],
      fix: 'Find out who did it: a restart without an append-only file, FLUSHALL, or a volume that was replaced.',
    }),
  ];
}
