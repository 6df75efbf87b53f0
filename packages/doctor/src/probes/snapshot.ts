import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';

export const snapshot: Probe = {
  name: 'active modules',
  async look({ subject: { staleSnapshot, place } }) {
    if (staleSnapshot === null) return [];
    return [
      finding('modules.snapshot_stale', {
        cause: staleSnapshot,
        evidence: [],
        fix: `pnpm generate:active-modules${place === 'compose' ? ' && docker compose up -d --build api worker web' : ', then build'}`,
      }),
    ];
  },
};
