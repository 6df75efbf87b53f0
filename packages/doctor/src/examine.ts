import { within } from './deadline.ts';
import type { Finding } from './finding.ts';
import type { Probe } from './probe.ts';
import { probes } from './probes.ts';
import { Away } from './stores/away.ts';
import type { Subject } from './subject.ts';
import { NotUsed, openView, type View } from './view.ts';

export interface Report {
  /** No fault; there may be warnings. */
  ok: boolean;
  /** Faults first. */
  findings: Finding[];
  checked: Checked[];
  tookMs: number;
}

/** What became of one probe. */
export interface Checked {
  name: string;
  outcome: 'well' | 'found' | 'unknown' | 'unused';
  /** Why it is unknown, or unused. */
  why?: string;
  /** What is so, whether or not something is wrong. */
  says?: string;
}

/** Ten seconds are promised, and a process has to start and to end in them too. */
const patienceMs = 8_000;

/** Looks at everything at once. */
export async function examine(subject: Subject): Promise<Report> {
  const startedAt = performance.now();
  const { view, close } = openView(subject);
  try {
    const looked = await Promise.all(probes.map((probe) => look(probe, view)));
    const findings = looked
      .flatMap(({ findings }) => findings)
      .sort((left, right) => Number(left.severity === 'warning') - Number(right.severity === 'warning'));
    return {
      ok: !findings.some(({ severity }) => severity === 'fault'),
      findings,
      checked: looked.map(({ checked }) => checked),
      tookMs: Math.round(performance.now() - startedAt),
    };
  } finally {
    close();
  }
}

async function look(probe: Probe, view: View): Promise<{ checked: Checked; findings: Finding[] }> {
  const { name } = probe;
  try {
    const looked = await within(patienceMs, probe.look(view));
    const { findings, ...says } = Array.isArray(looked) ? { findings: looked } : looked;
    return { checked: { name, outcome: findings.length > 0 ? 'found' : 'well', ...says }, findings };
  } catch (error) {
    const outcome = error instanceof NotUsed ? 'unused' : 'unknown';
    return { checked: { name, outcome, why: reasonOf(error) }, findings: [] };
  }
}

/** Tables, columns or functions that are not there. */
const notMigrated = new Set(['42P01', '42703', '42883', '3F000']);

function reasonOf(error: unknown): string {
  const { code = '', message } = error as { code?: string; message: string };
  if (error instanceof NotUsed) return message;
  if (error instanceof Away) return error.code === 'UNSET' ? message : `${error.store} cannot be asked`;
  if (notMigrated.has(code)) return 'the tables are not those of this build';
  return message;
}
