import { activeSetHash } from '@ballast/kernel/active-set';
import {
  apiDirectory,
  configFile,
  internalFile,
  jobsFile,
  migrationsFile,
  routesFile,
  schedulesFile,
  snapshotFile,
} from './api-files.ts';
import { fileProblems } from './check-files.ts';
import { chooseActive } from './choose-active.ts';
import { stopOn } from './problems.ts';
import type { Sources } from './read-app.ts';
import { configProblems } from './read-config.ts';
import { readJobs } from './read-jobs.ts';
import { readPages } from './read-pages.ts';
import { permissionProblems, readRoutes } from './read-routes.ts';
import { readSchedules } from './read-schedules.ts';
import { modulesFile, pageFile, pagesDirectory, webDirectory } from './web-files.ts';
import type { Files } from './write-files.ts';

/** The folders that only the generator writes. */
export const generatedDirectories = [apiDirectory, webDirectory, pagesDirectory];

/** Checks the active modules and says which files their set needs. */
export async function plan(sources: Sources): Promise<Files> {
  const { root, app } = sources;
  const chosen = chooseActive(sources);
  const problems = await Promise.all(chosen.map(({ definition }) => fileProblems(root, definition)));
  stopOn([...problems.flat(), ...chosen.flatMap(({ definition }) => permissionProblems(definition))]);
  stopOn(await configProblems(root, chosen));
  const jobs = await readJobs(root, chosen);
  const schedules = await readSchedules(root, chosen, jobs);
  const pages = await readPages(root, chosen);
  const routes = await readRoutes(root, chosen);
  return new Map([
    [`${apiDirectory}/routes.ts`, routesFile(chosen)],
    [`${apiDirectory}/internal.ts`, internalFile(chosen)],
    [`${apiDirectory}/jobs.ts`, jobsFile(jobs)],
    [`${apiDirectory}/schedules.ts`, schedulesFile(schedules)],
    [`${apiDirectory}/config.ts`, configFile(chosen)],
    [`${apiDirectory}/migrations.ts`, migrationsFile(root, chosen)],
    [`${apiDirectory}/routes.snapshot.json`, snapshotFile(activeSetHash(app), chosen, routes)],
    [`${webDirectory}/modules.ts`, modulesFile(chosen, pages)],
    ...pages.map(pageFile).map(({ path, text }) => [path, text] as const),
  ]);
}
