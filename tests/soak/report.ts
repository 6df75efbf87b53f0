import type { Recovered } from './recovery.ts';
import type { Verdict } from './verify.ts';
import type { MemorySample } from './watch.ts';

export interface Report extends Verdict {
  seed: number;
  backend: string;
  seconds: number;
  disasters: Record<string, number>;
  /** How processes ended. */
  ends: Record<string, number>;
  recovery: { killed: Recovered[]; redis: number[] };
  memory: MemorySample[];
  histories: Record<string, string[]>;
}

/** The report as a person reads it. */
export function told(report: Report): string {
  const { recovery, memory } = report;
  const lines = [
    `soak on ${report.backend}, BALLAST_SEED=${report.seed}, ${report.seconds} s`,
    `  jobs       ${report.jobs}: ${list(report.ended)}`,
    `  disasters  ${sum(report.disasters)}: ${list(report.disasters)}`,
    `  ends       ${sum(report.ends)} processes: ${list(report.ends)}`,
    `  lost       ${report.lost}`,
    `  doubled    ${report.doubled}`,
    `  outside    ${report.sent} sent, ${report.repeats} of them repeats under the same key`,
    `  recovery   a killed process's ${recovery.killed.length} jobs were back in line after ${percentiles(recovery.killed.map((job) => job.backMs))}`,
    `             and began again, or ended, after ${percentiles(recovery.killed.map((job) => job.againMs))}`,
    ...late(recovery.killed),
    `             Redis back → the next start after ${percentiles(recovery.redis)}`,
    `  memory     the worker that lived through it: ${overTime(memory, 'elder')} MB; Redis: ${overTime(memory, 'redis')} MB`,
    `  violations ${report.violations.length}`,
    ...report.violations
      .slice(0, 30)
      .flatMap(({ what, jobId, detail }) => [
        `    ${what}${jobId ? ` ${jobId}` : ''}: ${detail}`,
        ...(jobId ? (report.histories[jobId] ?? []).map((line) => `      ${line}`) : []),
      ]),
  ];
  return lines.join('\n');
}

/** The goal for what a killed process ran. */
const goalMs = 60_000;

/** Who began again later than that, and whom they stood behind. */
function late(recovered: readonly Recovered[]): string[] {
  const jobs = recovered.filter((job) => job.againMs > goalMs);
  const low = jobs.filter((job) => job.priority > 0);
  const others = jobs.filter((job) => job.priority <= 0);
  const lines = [
    `             ${jobs.length} of them after more than ${goalMs / 1_000} s, back in line after ${percentiles(jobs.map((job) => job.backMs))}:`,
    `             ${low.length} of low priority, behind all others of their tenant; ${others.length} others; overtaken: ${jobs.filter((job) => job.overtakenBy > 0).length}`,
  ];
  const named = others.toSorted((a, b) => b.againMs - a.againMs).slice(0, 20);
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  return [
    ...(jobs.length > 0 ? lines : []),
    ...named.map(
      (job) =>
        `               ${job.jobId} ${job.name}, priority ${job.priority}: back after ${seconds(job.backMs)} s, began after ${seconds(job.againMs)} s, overtaken by ${job.overtakenBy}`,
    ),
  ];
}

function percentiles(ms: readonly number[]): string {
  if (ms.length === 0) return 'nothing to measure';
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number) => ((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) / 1_000).toFixed(1);
  return `p50 ${at(0.5)} s, p90 ${at(0.9)} s, p99 ${at(0.99)} s, max ${at(1)} s`;
}

/** Ten moments, from the first to the last. */
function overTime(memory: readonly MemorySample[], of: 'elder' | 'redis'): string {
  const moments = Math.min(10, memory.length);
  const chosen = Array.from(
    { length: moments },
    (_, at) => memory[Math.round((at * (memory.length - 1)) / Math.max(1, moments - 1))],
  );
  return chosen.map((sample) => sample?.[of]).join(', ');
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);
const list = (counts: Record<string, number>) =>
  Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');
