import { readBacklog } from '@ballast/jobs/backlog';
import { ballast, logs, start } from '../commands.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import { count, duration, listed } from '../words.ts';

/** With workers alive a due job is handed out within a second; this is no load any more. */
const stuckAfterSeconds = 60;
/** Whoever has just come back needs a moment to begin. */
const beginsAfterSeconds = 30;
/** Longer than people wait for a mail. */
const behindAfterSeconds = 300;

export const backlog: Probe = {
  name: 'jobs move',
  async look({ subject: { place }, db, fleet }) {
    const queues = await readBacklog(await db());
    const settled = (await fleet()).filter(
      ({ alive, startedSecondsAgo }) => alive && startedSecondsAgo > beginsAfterSeconds,
    );
    const served = new Set(settled.flatMap(({ slots }) => Object.keys(slots)));
    const found: Finding[] = [];
    for (const { queue, due, oldestDueSeconds, inFlight, paused } of queues) {
      if (due === 0) continue;
      const evidence = [
        `${count(due, 'job')} wait in ${queue}, the oldest for ${duration(oldestDueSeconds)}; ${count(inFlight, 'job')} handed out`,
      ];
      if (paused) {
        const cause = `The queue ${queue} is paused by an operator.`;
        found.push(finding('jobs.paused', { cause, evidence, fix: ballast(place, `jobs resume ${queue}`) }));
      } else if (!served.has(queue)) {
        // Nobody is there, which the workers' probe says; or somebody has just come.
      } else if (oldestDueSeconds > stuckAfterSeconds && inFlight === 0) {
        const cause = `The queue ${queue} is stuck: workers are alive, jobs are due, and none is handed out.`;
        const fix = `${logs(place, 'worker')}, then start the worker again`;
        found.push(finding('jobs.stuck', { cause, evidence, fix }));
      } else if (oldestDueSeconds > behindAfterSeconds) {
        const cause = `The workers of ${listed([queue])} do not keep up: more is added than they run.`;
        const fix = place === 'compose' ? `${start(place, 'worker')} --scale worker=4` : 'Start more workers.';
        found.push(finding('jobs.behind', { cause, evidence, fix }));
      }
    }
    return found;
  },
};
