import { deploy } from '../commands.ts';
import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';

/** A rolling deploy is done by then. */
const deploySeconds = 600;
const answerMs = 5_000;

interface Replica {
  release: string;
  name: string;
  startedSecondsAgo: number;
}

/**
 * Whoever takes jobs says its release beside its beat. An API that leaves jobs to workers writes nothing, and its
 * sessions cannot say it either: they end when they are half an hour old, and behind a pooler they are everybody's.
 */
export const versions: Probe = {
  name: 'one version runs',
  async look({ subject: { release, apis, place }, fleet }) {
    const members = fleet().then((all) => all.filter(({ alive }) => alive).map(ofMember));
    const [consuming, answering] = await Promise.all([members, Promise.all(apis.map(askApi))]);
    const replicas = [...consuming, ...answering.flat()];
    const releases = Map.groupBy(replicas, (replica) => replica.release);
    if (replicas.length === 0 || new Set([...releases.keys(), release]).size === 1) return [];
    if (Math.min(...replicas.map(({ startedSecondsAgo }) => startedSecondsAgo)) < deploySeconds) return [];
    return [
      finding('versions.differ', {
        cause: 'Replicas run different versions, and no deploy is under way.',
        evidence: [
          `here: ${release}`,
          ...[...releases].map(([of, those]) => `${of}: ${those.map(({ name }) => name).join(', ')}`),
        ],
        fix: deploy(place),
      }),
    ];
  },
};

function ofMember(member: { release: string; role: string; host: string; startedSecondsAgo: number }): Replica {
  const { release, role, host, startedSecondsAgo } = member;
  return { release, name: `${role} on ${host}`, startedSecondsAgo };
}

/** Healthy or not, it says which build it is. One that does not answer runs no version. */
async function askApi(origin: string): Promise<Replica[]> {
  try {
    const response = await fetch(`${origin}/health`, { signal: AbortSignal.timeout(answerMs), redirect: 'manual' });
    const { release, upSeconds } = (await response.json()) as { release?: unknown; upSeconds?: unknown };
    if (typeof release !== 'string') return [];
    // Older builds do not say since when they run.
    const startedSecondsAgo = typeof upSeconds === 'number' ? upSeconds : Number.POSITIVE_INFINITY;
    return [{ release, name: `api at ${new URL(origin).hostname}`, startedSecondsAgo }];
  } catch {
    return [];
  }
}
