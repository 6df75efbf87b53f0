import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Chosen } from './choose-active.ts';
import type { FoundJob } from './read-jobs.ts';
import type { RouteLine } from './read-routes.ts';
import type { FoundSchedule } from './read-schedules.ts';
import { header, identifier, notice } from './source.ts';

/** Where the API's half is written. */
export const apiDirectory = 'apps/api/src/generated';

/** `routes.ts`: chained, so that the typed client knows every route. */
export function routesFile(chosen: readonly Chosen[]): string {
  const names = chosen.filter(({ definition }) => definition.routes).map(({ definition }) => definition.name);
  return `${header}
import type { Env } from '@ballast/http';
${names.map((name) => `import { routes as ${identifier(`${name}-routes`)} } from '@ballast/modules/${name}/routes';`).join('\n')}
import { Hono } from 'hono';

/** The routes of every active module. */
export const routes = new Hono<Env>()${names.map((name) => `.route('/api/${name}', ${identifier(`${name}-routes`)})`).join('')};

/**
 * For a typed client of the whole API: \`hc<Routes>(origin)\`.
 * @public
 */
export type Routes = typeof routes;
`;
}

/** `internal.ts`: the same for what is asked from inside. */
export function internalFile(chosen: readonly Chosen[]): string {
  const names = chosen.filter(({ definition }) => definition.internal).map(({ definition }) => definition.name);
  return `${header}
import type { Env } from '@ballast/http';
${names.map((name) => `import { internal as ${identifier(`${name}-internal`)} } from '@ballast/modules/${name}/internal';`).join('\n')}
import { Hono } from 'hono';

/** What other parts of the installation ask of the active modules. */
export const internal = new Hono<Env>()${names.map((name) => `.route('/internal/${name}', ${identifier(`${name}-internal`)})`).join('')};
`;
}

/** `jobs.ts`: jobs are light and imported; a handler is loaded when its first job runs. */
export function jobsFile(jobs: readonly FoundJob[]): string {
  const door = (job: FoundJob) => `@ballast/modules/${job.module}/jobs/${job.file}`;
  const alias = (job: FoundJob) => identifier(`${job.module}-${job.job}`);
  return `${header}
${jobs.map((job) => `import { ${job.job} as ${alias(job)} } from '${door(job)}.job';`).join('\n')}

/** The jobs of every active module. */
export const jobs = [
${jobs
  .map((job) => `{ job: ${alias(job)}, load: async () => (await import('${door(job)}.handler')).${job.handler} },`)
  .join('\n')}
];
`;
}

/** `schedules.ts`: what comes round. Light, as jobs are. */
export function schedulesFile(schedules: readonly FoundSchedule[]): string {
  // By the file's name: a module may well call two of them `nightly`.
  const alias = (found: FoundSchedule) => identifier(`${found.module}-${found.file}`);
  const door = (found: FoundSchedule) => `@ballast/modules/${found.module}/schedules/${found.file}.schedule`;
  return `${header}
import type { ScheduleDefinition } from '@ballast/kernel';
${schedules.map((found) => `import { ${found.schedule} as ${alias(found)} } from '${door(found)}';`).join('\n')}

/** The schedules of every active module. */
export const schedules: readonly ScheduleDefinition[] = [
${schedules.map((found) => `${alias(found)},`).join('\n')}
];
`;
}

/** `config.ts`: what each active module reads, and its options from app.config.ts. */
export function configFile(chosen: readonly Chosen[]): string {
  const configured = chosen.filter(({ definition }) => definition.config);
  const door = (name: string) =>
    `import { config as ${identifier(`${name}-config`)} } from '@ballast/modules/${name}/config';`;
  return `${header}
${configured.map(({ definition }) => door(definition.name)).join('\n')}

/** The configuration of every active module. */
export const modules = [
${configured
  .map(
    ({ definition, options }) =>
      `{ config: ${identifier(`${definition.name}-config`)}, options: ${JSON.stringify(options)} },`,
  )
  .join('\n')}
];
`;
}

/** `migrations.ts`: whose migrations this build expects, in order. */
export function migrationsFile(root: string, chosen: readonly Chosen[]): string {
  const names = chosen
    .map(({ definition }) => definition.name)
    .filter((name) => existsSync(join(root, 'modules', name, 'migrations')));
  return `${header}
/** The active modules with tables, each after those that it depends on. */
export const migratedModules: readonly string[] = ${JSON.stringify(names)};
`;
}

/** `routes.snapshot.json`: read by the boot check, by tests, and by people who review who may call what. */
export function snapshotFile(activeSet: string, chosen: readonly Chosen[], routes: readonly RouteLine[]): string {
  const modules = chosen.map(({ definition }) => definition.name);
  return JSON.stringify({ generated: notice, activeSet, modules, routes }, null, 2);
}
