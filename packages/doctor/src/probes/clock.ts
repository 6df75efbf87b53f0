import type { Redis } from 'ioredis';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import type { View } from '../view.ts';
import { duration } from '../words.ts';

/** Codes of one-time passwords and signed links bear some seconds; more than this is a clock that nobody sets. */
const tolerableSeconds = 5;

export const clock: Probe = {
  name: 'clocks agree',
  async look(view) {
    const offsets = [await offsetOfPostgres(view), ...(await offsetsOfRedis(view))];
    const wrong = offsets.filter(({ seconds }) => Math.abs(seconds) > tolerableSeconds);
    if (wrong.length === 0) return [];
    return [explain(wrong)];
  },
};

interface Offset {
  of: string;
  /** How far its clock is ahead of this one's, at least. */
  seconds: number;
}

async function offsetOfPostgres({ db: open, subject }: View): Promise<Offset> {
  const db = await open();
  return measure('Postgres', subject.now, async () => {
    const [row] = await db.sql<{ ms: number }[]>`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`;
    return row?.ms ?? 0;
  });
}

async function offsetsOfRedis({ queue, cache, subject }: View): Promise<Offset[]> {
  const servers = [['the queue’s Redis', queue] as const, ['the cache', cache] as const];
  const measured = await Promise.allSettled(
    servers.map(async ([of, open]) => {
      const redis: Redis = await open();
      return measure(of, subject.now, async () => {
        const [seconds, micros] = await redis.time();
        return Number(seconds) * 1_000 + Number(micros) / 1_000;
      });
    }),
  );
  // One that does not answer has a probe of its own.
  return measured.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/** The way there and back took some time; the offset is what not even that explains. */
async function measure(of: string, now: () => number, ask: () => Promise<number>): Promise<Offset> {
  const before = now();
  const theirs = await ask();
  const after = now();
  const ms = theirs > after ? theirs - after : Math.min(0, theirs - before);
  return { of, seconds: ms / 1_000 };
}

function explain(wrong: readonly Offset[]): Finding {
  return finding('clock.skew', {
    cause:
      'Clocks disagree. Jobs go by Postgres’ clock alone, but sessions, links and one-time passwords end too early or too late.',
    evidence: wrong.map(
      ({ of, seconds }) =>
        `${of} is ${duration(Math.abs(seconds))} ${seconds > 0 ? 'ahead of' : 'behind'} this machine`,
    ),
    fix: 'Set the time by NTP on every machine: timedatectl set-ntp true',
  });
}
