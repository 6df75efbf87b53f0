import { join } from 'node:path';
import { endpointMeta } from '@ballast/http';
import { closestName, type ModuleDefinition } from '@ballast/kernel';
import type { Chosen } from './choose-active.ts';
import { didYouMean, stopOn } from './problems.ts';
import { importFile } from './read-app.ts';

/** One line of the snapshot: who may call what, how often. */
export interface RouteLine {
  method: string;
  path: string;
  module: string;
  access: unknown;
  rateLimit: readonly unknown[];
}

interface HonoRoute {
  method: string;
  path: string;
  handler: unknown;
}

/** Reads the real routes, so that the snapshot cannot say something else than the code. */
export async function readRoutes(root: string, chosen: readonly Chosen[]): Promise<RouteLine[]> {
  const lines: RouteLine[] = [];
  const problems: string[] = [];
  for (const { definition } of chosen.filter((module) => module.definition.routes)) {
    const file = `modules/${definition.name}/routes.ts`;
    const app = (await importFile(root, join(root, file))).routes as { routes?: HonoRoute[] } | undefined;
    if (!Array.isArray(app?.routes)) {
      problems.push(`${file} must have \`export const routes = new Hono<Env>()…\`.`);
      continue;
    }
    for (const [id, handlers] of grouped(app.routes)) {
      const [method, path] = id.split(' ') as [string, string];
      const metas = handlers.map(endpointMeta).filter((meta) => meta !== null);
      const [meta] = metas;
      if (!meta) {
        const middleware = path.endsWith('*') ? ' Middleware for several routes is not allowed in a module.' : '';
        problems.push(`${file}: ${id} has no endpoint(), so nobody may call it.${middleware}`);
      } else if (metas.length > 1) problems.push(`${file}: ${id} is there twice, or has two endpoint().`);
      else {
        const problem = permissionProblem(definition, meta.access);
        if (problem) problems.push(`${file}: ${id} ${problem}`);
        const full = `/api/${definition.name}${path === '/' ? '' : path}`;
        lines.push({ method, path: full, module: definition.name, access: meta.access, rateLimit: meta.rateLimit });
      }
    }
  }
  stopOn(problems);
  return lines;
}

/** Hono keeps one entry per handler; a route's handlers share method and path. */
function grouped(routes: readonly HonoRoute[]): Map<string, unknown[]> {
  const groups = new Map<string, unknown[]>();
  for (const { method, path, handler } of routes) {
    const id = `${method} ${path}`;
    groups.set(id, [...(groups.get(id) ?? []), handler]);
  }
  return groups;
}

function permissionProblem(definition: ModuleDefinition, access: unknown): string | null {
  if (typeof access !== 'object' || access === null) return null;
  const { permission } = access as { permission: string };
  const declared = definition.permissions ?? [];
  if (declared.includes(permission)) return null;
  const near = didYouMean(closestName(permission, declared));
  return `asks for '${permission}', which module.ts does not list under \`permissions\`${near || '.'}`;
}

/** A permission is the module's own, and listed once. */
export function permissionProblems({ name, permissions = [] }: ModuleDefinition): string[] {
  return permissions.flatMap((permission, index) => {
    const where = `modules/${name}/module.ts: the permission '${permission}'`;
    if (!permission.startsWith(`${name}:`)) return [`${where} must be named '${name}:…'.`];
    return permissions.indexOf(permission) === index ? [] : [`${where} is there twice.`];
  });
}
