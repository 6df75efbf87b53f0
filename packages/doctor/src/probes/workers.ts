import { readBacklog } from '@ballast/jobs/backlog';
import { logs, set, start } from '../commands.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import type { Member } from '../view.ts';
import { count, duration, listed } from '../words.ts';

/** A process that was killed is gone for good after this: nobody expects it back. */
const expectedBackSeconds = 300;

export const workers: Probe = {
  name: 'workers are alive',
  async look({ subject, db, fleet }) {
    const members = await fleet();
    const queues = await readBacklog(await db());
    const waiting = queues.filter(({ due }) => due > 0);
    const living = members.filter(({ alive }) => alive);
    const waits = waiting.map(
      ({ queue, due, oldestDueSeconds }) =>
        `${count(due, 'job')} in ${queue}, the oldest waits for ${duration(oldestDueSeconds)}`,
    );
    if (living.length === 0) {
      const [last] = members;
      const told = !subject.consumes;
      return [
        finding('workers.none', {
          cause: told
            ? 'No worker is alive, and the API is told not to consume (DISABLE_BACKGROUND_WORKERS=true): nobody runs jobs.'
            : 'No worker is alive: nobody runs jobs.',
          evidence: [
            last ? `last heard: ${nameOf(last)}, ${duration(last.silentSeconds)} ago` : 'none was heard within a day',
            ...waits,
          ],
          fix: `${start(subject.place, 'worker')} (why it ended: ${logs(subject.place, 'worker')})`,
        }),
      ];
    }
    const found: Finding[] = [];
    const silent = members.filter(({ alive, silentSeconds }) => !alive && silentSeconds < expectedBackSeconds);
    if (silent.length > 0) {
      found.push(
        finding('workers.silent', {
          cause: `${count(silent.length, 'process', 'processes')} that took jobs fell silent without saying goodbye: killed, frozen, or cut off. The others took over.`,
          evidence: silent.map((member) => `${nameOf(member)}, silent for ${duration(member.silentSeconds)}`),
          fix: logs(subject.place, 'worker'),
        }),
      );
    }
    const served = new Set(living.flatMap(({ slots }) => Object.keys(slots)));
    const unserved = waiting.filter(({ queue, oldestDueSeconds }) => !served.has(queue) && oldestDueSeconds > 30);
    if (unserved.length > 0) {
      found.push(
        finding('workers.queue_unserved', {
          cause: `No living worker serves the queue ${listed(unserved.map(({ queue }) => queue))}.`,
          evidence: [...waits, `served: ${listed([...served])}`],
          fix: set(subject.place, 'worker', 'the modules whose jobs use this queue'),
        }),
      );
    }
    return found;
  },
};

const nameOf = ({ role, host, release }: Member) => `${role} ${release} on ${host}`;
