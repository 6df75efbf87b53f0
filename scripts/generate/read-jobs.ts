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
      const handler = handlerName(await readFile(join(root, `${path}.handler.ts`), 'utf8'));
      if (!name || !job || exported.length > 1) problems.push(`${path}.job.ts must export one job, made by defineJob.`);
      else if (!handler) problems.push(`${path}.handler.ts must have \`export const handler = defineHandler(…)\`.`);
      else {
        const owner = owners.get(job.name);
        if (owner) problems.push(`${path}.job.ts: the job '${job.name}' is in ${owner} already.`);
        if (!job.name.startsWith(`${definition.name}.`)) {
          problems.push(`${path}.job.ts: the job '${job.name}' must be named '${definition.name}.…'.`);
        }
        owners.set(job.name, `${path}.job.ts`);
        found.push({ module: definition.name, file, job: name, handler, definition: job });
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

function handlerName(source: string): string | undefined {
  return /export const (\w+)(?::[^=]+)? = defineHandler\b/.exec(source)?.[1];
}
