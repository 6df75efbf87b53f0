import { rebuild } from '../commands.ts';
import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import { listed } from '../words.ts';

/** A rolling deploy has old workers beside new APIs for a while. */
const deploySeconds = 60;

export const jobKinds: Probe = {
  name: 'workers know the jobs of this build',
  async look({ subject, fleet }) {
    const living = (await fleet()).filter(({ alive }) => alive);
    if (living.length === 0 || living.some(({ startedSecondsAgo }) => startedSecondsAgo < deploySeconds)) return [];
    const known = new Set(living.flatMap(({ knows }) => knows));
    const unknown = subject.jobs.filter((job) => !known.has(job));
    if (unknown.length === 0) return [];
    return [
      finding('workers.know_less', {
        cause:
          'This build adds jobs that no living worker knows: the workers run an image of other modules. Such jobs are parked until one knows them.',
        evidence: [
          `unknown to them: ${listed(unknown)}`,
          `workers: ${listed([...new Set(living.map(({ release, host }) => `${release} on ${host}`))])}`,
        ],
        fix:
          rebuild(subject.place, 'worker') ??
          'Run npm run generate:active-modules, build, and start the workers of that build.',
      }),
    ];
  },
};
