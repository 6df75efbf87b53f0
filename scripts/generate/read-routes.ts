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

/** The files with routes: what a module names them by, what they export, and where that is mounted. */
const doors = [
  { part: 'routes', mount: '/api' },
  { part: 'internal', mount: '/internal' },
] as const;

/** Reads the real routes, so that the snapshot cannot say something else than the code. */
export async function readRoutes(root: string, chosen: readonly Chosen[]): Promise<RouteLine[]> {
  const lines: RouteLine[] = [];
  const problems: string[] = [];
  for (const { definition } of chosen) {
    for (const { part, mount } of doors) {
      if (!definition[part]) continue;
      const file = `modules/${definition.name}/${part}.ts`;
      const app = (await importFile(root, join(root, file)))[part] as { routes?: HonoRoute[] } | undefined;
      if (!Array.isArray(app?.routes)) {
        problems.push(`${file} must have \`export const ${part} = new Hono<Env>()…\`.`);
        continue;
      }
      for (const [id, handlers] of grouped(app.routes)) {
        const line = lineOf(definition, `${mount}/${definition.name}`, id, handlers);
        if (typeof line === 'string') problems.push(`${file}: ${id} ${line}`);
        else lines.push(line);
      }
    }
  }
  stopOn(problems);
  return lines;
}

/** A route as the snapshot shows it, or what is wrong with it. */
function lineOf(
  definition: ModuleDefinition,
  place: string,
  id: string,
  handlers: readonly unknown[],
): RouteLine | string {
  const [method, path] = id.split(' ') as [string, string];
  const [meta, ...others] = handlers.map(endpointMeta).filter((found) => found !== null);
  if (!meta) {
    const middleware = path.endsWith('*') ? ' Middleware for several routes is not allowed in a module.' : '';
    return `has no endpoint(), so nobody may call it.${middleware}`;
  }
  if (others.length > 0) return 'is there twice, or has two endpoint().';
  const problem = permissionProblem(definition, meta.access);
  if (problem) return problem;
  const { access, rateLimit } = meta;
  return { method, path: `${place}${path === '/' ? '' : path}`, module: definition.name, access, rateLimit };
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
