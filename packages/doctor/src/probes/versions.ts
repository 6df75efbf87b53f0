import { deploy } from '../commands.ts';
import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';

/** A rolling deploy is done by then. */
const deploySeconds = 600;

export const versions: Probe = {
  name: 'one version runs',
  async look({ subject: { release, place }, fleet }) {
    const living = (await fleet()).filter(({ alive }) => alive);
    const releases = Map.groupBy(living, (member) => member.release);
    const all = new Set([...releases.keys(), release]);
    if (living.length === 0 || all.size === 1) return [];
    if (Math.min(...living.map(({ startedSecondsAgo }) => startedSecondsAgo)) < deploySeconds) return [];
    return [
      finding('versions.differ', {
        cause: 'Replicas run different versions, and no deploy is under way.',
        evidence: [
          `here: ${release}`,
          ...[...releases].map(
            ([of, members]) => `${of}: ${members.map(({ role, host }) => `${role} on ${host}`).join(', ')}`,
          ),
        ],
        fix: deploy(place),
      }),
    ];
  },
};
