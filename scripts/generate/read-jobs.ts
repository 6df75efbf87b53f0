import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobDefinition } from '@ballast/kernel';
import type { Chosen } from './choose-active.ts';
import { stopOn } from './problems.ts';
import { importFile } from './read-app.ts';

/** A job as the generated code imports it. */
export interface FoundJob {
  module: string;
  file: string;
  /** The name of the job's export, and of its handler's. */
  job: string;
  handler: string;
  definition: JobDefinition;
}

/** Imports the jobs, which starts nothing, and only reads their handlers. */
export async function readJobs(root: string, chosen: readonly Chosen[]): Promise<FoundJob[]> {
  const problems: string[] = [];
  const found: FoundJob[] = [];
  const owners = new Map<string, string>();
  for (const { definition } of chosen) {
    for (const file of definition.jobs ?? []) {
      const path = `modules/${definition.name}/jobs/${file}`;
      const exported = Object.entries(await importFile(root, join(root, `${path}.job.ts`))).filter(isJob);
      const [name, job] = exported[0] ?? [];
      const handler = handlerIn(await readFile(join(root, `${path}.handler.ts`), 'utf8'));
      if (!name || !job || exported.length > 1) problems.push(`${path}.job.ts must export one job, made by defineJob.`);
      else if (!handler) {
        const define = job.batch === null ? 'defineHandler' : 'defineBatchHandler';
        problems.push(`${path}.handler.ts must have \`export const handler = ${define}(…)\`.`);
      } else {
        const owner = owners.get(job.name);
        if (owner) problems.push(`${path}.job.ts: the job '${job.name}' is in ${owner} already.`);
        if (!job.name.startsWith(`${definition.name}.`)) {
          problems.push(`${path}.job.ts: the job '${job.name}' must be named '${definition.name}.…'.`);
        }
        problems.push(...batchProblems(path, job, handler.takesBatches));
        owners.set(job.name, `${path}.job.ts`);
        found.push({ module: definition.name, file, job: name, handler: handler.name, definition: job });
      }
    }
  }
  stopOn(problems);
  return found;
}

function isJob(entry: [string, unknown]): entry is [string, JobDefinition] {
  const value = entry[1];
  return typeof value === 'object' && value !== null && 'payload' in value && 'attempts' in value && 'backoff' in value;
}

interface FoundHandler {
  name: string;
  takesBatches: boolean;
}

/** Read, not imported: a handler drags in what its work needs. `defineHandler` may be the kernel's or that of modules/context.ts. */
function handlerIn(source: string): FoundHandler | null {
  const [, name, batch] = /export const (\w+)(?::[^=]+)? = define(Batch)?Handler\b/.exec(source) ?? [];
  return name ? { name, takesBatches: batch !== undefined } : null;
}

/** What the worker would notice when the first such job runs: it would fail, and every one after it. */
function batchProblems(path: string, { name, batch }: JobDefinition, takesBatches: boolean): string[] {
  if (takesBatches && batch === null) {
    return [
      `${path}.handler.ts takes batches, but the job '${name}' does not say how large: give it a \`batch\` in ${path}.job.ts, or use defineHandler.`,
    ];
  }
  if (!takesBatches && batch !== null) {
    return [
      `${path}.handler.ts takes one job, but the job '${name}' says \`batch: ${batch}\`: use defineBatchHandler, or leave \`batch\` out.`,
    ];
  }
  return [];
}
