import { rebuild } from '../commands.ts';
import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';

export const snapshot: Probe = {
  name: 'active modules',
  async look({ subject: { staleSnapshot, place } }) {
    if (staleSnapshot === null) return [];
    const build = rebuild(place, 'api', 'worker', 'web');
    return [
      finding('modules.snapshot_stale', {
        cause: staleSnapshot,
        evidence: [],
        fix: `npm run generate:active-modules${build ? ` && ${build}` : ', then build'}`,
      }),
    ];
  },
};
