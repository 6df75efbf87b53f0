import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AppDefinition, ModuleDefinition } from '@ballast/kernel';
import { Problems, stopOn } from './problems.ts';

/** What the generator starts from. */
export interface Sources {
  /** The repository. */
  root: string;
  app: AppDefinition;
  /** Every module in `modules/`, on or off, by its folder's name. */
  definitions: ReadonlyMap<string, ModuleDefinition>;
}

/** Reads `app.config.ts` and each module's table of contents. */
export async function readApp(root: string, configFile: string): Promise<Sources> {
  const app = exportOf<AppDefinition>(await importFile(root, configFile), ['default', 'app']);
  if (!app || typeof app.modules !== 'object' || app.modules === null) {
    throw new Problems([`${relative(root, configFile)} must have \`export default defineApp({ name, modules })\`.`]);
  }
  const folders = (await readdir(join(root, 'modules'), { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && existsSync(join(root, 'modules', entry.name, 'module.ts')))
    .map((entry) => entry.name)
    .sort();
  const problems: string[] = [];
  const definitions = new Map<string, ModuleDefinition>();
  for (const folder of folders) {
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(folder)) {
      problems.push(`modules/${folder}: a module's name is lower-case words joined by hyphens.`);
      continue;
    }
    const file = join(root, 'modules', folder, 'module.ts');
    const definition = exportOf<ModuleDefinition>(await importFile(root, file), ['module', 'default']);
    if (!definition) problems.push(`modules/${folder}/module.ts must export \`module\`.`);
    else if (definition.name !== folder) {
      problems.push(`modules/${folder}/module.ts says its name is '${definition.name}'; it must be '${folder}'.`);
    } else definitions.set(folder, definition);
  }
  stopOn(problems);
  return { root, app, definitions };
}

/** Imports a source file as it is, and names it when that fails. */
export async function importFile(root: string, file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (cause) {
    throw new Problems([`${relative(root, file)} cannot be imported: ${(cause as Error).message}`]);
  }
}

function exportOf<Value>(file: Record<string, unknown>, names: readonly string[]): Value | undefined {
  const found = names.map((name) => file[name]).find((value) => typeof value === 'object' && value !== null);
  return found as Value | undefined;
}
