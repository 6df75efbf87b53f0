import { set } from '../commands.ts';
import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import { listed } from '../words.ts';

export const consumers: Probe = {
  name: 'one kind of consumer',
  async look({ subject, fleet }) {
    const living = (await fleet()).filter(({ alive }) => alive);
    const hostsOf = (role: string) => living.filter((member) => member.role === role).map(({ host }) => host);
    const [apis, workers] = [hostsOf('api'), hostsOf('worker')];
    if (apis.length === 0 || workers.length === 0) return [];
    return [
      finding('consumers.both', {
        cause:
          'API and workers both consume jobs. Each job still takes effect once, but requests share their process with jobs.',
        evidence: [`API: ${listed(apis)}`, `workers: ${listed(workers)}`],
        fix: set(subject.place, 'api', 'DISABLE_BACKGROUND_WORKERS=true'),
      }),
    ];
  },
};
