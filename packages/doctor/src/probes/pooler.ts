import { poolerProblems } from '@ballast/db';
import { roles } from '@ballast/db/roles';
import { logs, start } from '../commands.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import { Away } from '../stores/away.ts';
import type { Subject } from '../subject.ts';
import { NotUsed } from '../view.ts';
import { placeOf } from '../words.ts';

export const pooler: Probe = {
  name: 'the pooler',
  async look({ subject, database, pooler }) {
    if (subject.poolerUrl === null) throw new NotUsed('requests go to Postgres itself');
    // When Postgres is away there is nothing behind it, which is said already.
    await database();
    try {
      const { db } = await pooler();
      const problems = await poolerProblems(db, { role: roles.app, limitMs: subject.requestMs });
      return problems.map((cause) =>
        finding('pooler.unsafe', {
          cause,
          evidence: [`asked through ${placeOf(subject.poolerUrl ?? '')}`],
          fix: mend(subject),
        }),
      );
    } catch (error) {
      if (error instanceof Away) return [explain(error, subject, subject.poolerUrl)];
      throw error;
    }
  },
};

function mend({ place }: Subject): string {
  return `Do what the cause says, then: ${start(place, 'pooler')}`;
}

function explain({ message }: Away, { place }: Subject, url: string): Finding {
  const evidence = [`${placeOf(url)}: ${message}`];
  if (/query_wait_timeout|no more connections/.test(message)) {
    return finding('pooler.busy', {
      cause: 'Every session of the pooler is busy: requests are answered with 503 database.busy.',
      evidence: [
        ...evidence,
        'who holds them up: select pid, wait_event_type, pg_blocking_pids(pid), query from pg_stat_activity',
      ],
      fix: 'End what is slow or blocked; or raise POOLER_SESSIONS, while max_connections has room.',
    });
  }
  return finding('pooler.unreachable', {
    cause:
      'Postgres answers, and the pooler that requests go through does not: it is down, or DATABASE_POOLER is wrong.',
    evidence,
    fix: `${start(place, 'pooler')} (why it ended: ${logs(place, 'pooler')})`,
  });
}
