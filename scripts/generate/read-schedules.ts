import { join } from 'node:path';
import { scheduleProblems } from '@ballast/jobs/schedule';
import type { ScheduleDefinition } from '@ballast/kernel';
import type { Chosen } from './choose-active.ts';
import { stopOn } from './problems.ts';
import { importFile } from './read-app.ts';
import type { FoundJob } from './read-jobs.ts';

/** A schedule as the generated code imports it. */
export interface FoundSchedule {
  module: string;
  file: string;
  /** The name of its export. */
  schedule: string;
}

/** Imports the schedules, which starts nothing, and checks what only the worker would notice otherwise. */
export async function readSchedules(
  root: string,
  chosen: readonly Chosen[],
  jobs: readonly FoundJob[],
): Promise<FoundSchedule[]> {
  const problems: string[] = [];
  const found: FoundSchedule[] = [];
  const owners = new Map<string, string>();
  for (const { definition } of chosen) {
    for (const file of definition.schedules ?? []) {
      const path = `modules/${definition.name}/schedules/${file}.schedule.ts`;
      const exported = Object.entries(await importFile(root, join(root, path))).filter(isSchedule);
      const [name, schedule] = exported[0] ?? [];
      if (!name || !schedule || exported.length > 1) {
        problems.push(`${path} must export one schedule, made by defineSchedule.`);
        continue;
      }
      const owner = owners.get(schedule.name);
      if (owner) problems.push(`${path}: the schedule '${schedule.name}' is in ${owner} already.`);
      owners.set(schedule.name, path);
      if (!schedule.name.startsWith(`${definition.name}.`)) {
        problems.push(`${path}: the schedule '${schedule.name}' must be named '${definition.name}.…'.`);
      }
      if (!jobs.some((job) => job.definition === schedule.job)) {
        const expected = 'import one that a module which is on lists under `jobs`.';
        problems.push(`${path}: its job '${schedule.job.name}' is no job of an active module; ${expected}`);
      }
      problems.push(...scheduleProblems(schedule).map((problem) => `${path}: ${problem}`));
      found.push({ module: definition.name, file, schedule: name });
    }
  }
  stopOn(problems);
  return found;
}

function isSchedule(entry: [string, unknown]): entry is [string, ScheduleDefinition] {
  const value = entry[1];
  if (typeof value !== 'object' || value === null || !('cron' in value && 'catchUp' in value && 'job' in value))
    return false;
  return typeof value.job === 'object' && value.job !== null;
}
