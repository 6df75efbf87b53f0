import { join } from 'node:path';
import { closestName, type ModuleConfig } from '@ballast/kernel';
import type { Chosen } from './choose-active.ts';
import { didYouMean } from './problems.ts';
import { importFile } from './read-app.ts';

/** Checks each module's options against its own schema, and that no two modules want one setting. */
export async function configProblems(root: string, chosen: readonly Chosen[]): Promise<string[]> {
  const problems: string[] = [];
  const owners = new Map<string, string>();
  for (const { definition, options } of chosen) {
    const { name } = definition;
    if (!definition.config) {
      if (Object.keys(options).length > 0)
        problems.push(`app.config.ts: ${name} takes no options, it has no config.ts.`);
      continue;
    }
    const file = await importFile(root, join(root, 'modules', name, 'config.ts'));
    const config = file.config as ModuleConfig | undefined;
    if (!config?.settings || !config.options) {
      problems.push(`modules/${name}/config.ts must have \`export const config = defineConfig('${name}', …)\`.`);
      continue;
    }
    if (config.module !== name) {
      problems.push(`modules/${name}/config.ts belongs to '${config.module}'; it must belong to '${name}'.`);
    }
    problems.push(...optionProblems(name, config, options));
    for (const setting of Object.keys(config.settings)) {
      const owner = owners.get(setting);
      if (owner) problems.push(`modules/${name}/config.ts: the setting ${setting} belongs to ${owner} already.`);
      owners.set(setting, name);
    }
  }
  return problems;
}

function optionProblems(name: string, config: ModuleConfig, options: Record<string, unknown>): string[] {
  const parsed = config.options.safeParse(options);
  if (parsed.success) return [];
  const shape = (config.options as { shape?: Record<string, unknown> }).shape ?? {};
  return parsed.error.issues.flatMap((issue) => {
    const path = ['modules', name, ...issue.path.map(String)].join('.');
    if (issue.code !== 'unrecognized_keys') return [`app.config.ts: ${path}: ${issue.message}.`];
    return issue.keys.map((key) => {
      const near = didYouMean(closestName(key, Object.keys(shape)));
      return `app.config.ts: ${path}.${key}: ${name} has no such option${near || '.'}`;
    });
  });
}
