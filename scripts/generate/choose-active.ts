import { closestName, type ModuleDefinition } from '@ballast/kernel';
import { activeModules } from '@ballast/kernel/active-set';
import { didYouMean, stopOn } from './problems.ts';
import type { Sources } from './read-app.ts';

/** A module that is on. */
export interface Chosen {
  definition: ModuleDefinition;
  options: Record<string, unknown>;
}

/** The modules that are on, each after those that it depends on. */
export function chooseActive({ app, definitions }: Pick<Sources, 'app' | 'definitions'>): Chosen[] {
  stopOn([...switchProblems(app.modules, definitions), ...dependencyProblems(app.modules, definitions)]);
  const options = new Map(activeModules(app).map((module) => [module.name, module.options]));
  const order: string[] = [];
  const visit = (name: string, path: readonly string[]) => {
    if (order.includes(name)) return;
    if (path.includes(name)) stopOn([`Modules depend on each other in a circle: ${[...path, name].join(' → ')}.`]);
    for (const needed of definitions.get(name)?.dependsOn ?? []) visit(needed, [...path, name]);
    order.push(name);
  };
  for (const name of options.keys()) visit(name, []);
  return order.flatMap((name) => {
    const definition = definitions.get(name);
    return definition ? [{ definition, options: options.get(name) ?? {} }] : [];
  });
}

type Switches = Readonly<Record<string, unknown>>;
type Definitions = ReadonlyMap<string, ModuleDefinition>;

function switchProblems(switches: Switches, definitions: Definitions): string[] {
  const known = [...definitions.keys()];
  const problems: string[] = [];
  for (const [name, value] of Object.entries(switches)) {
    if (!definitions.has(name)) {
      const near = didYouMean(closestName(name, known));
      problems.push(`app.config.ts: unknown module '${name}'${near || `. There is no modules/${name}/module.ts.`}`);
    } else if (typeof value !== 'boolean' && (typeof value !== 'object' || value === null || Array.isArray(value))) {
      problems.push(`app.config.ts: modules.${name} must be true, false or an object with its options.`);
    }
  }
  for (const [name, definition] of definitions) {
    if (!definition.alwaysOn || isOn(switches, name)) continue;
    problems.push(`app.config.ts: ${name} cannot be off, the product does not run without it. Set it to true.`);
  }
  return problems;
}

function dependencyProblems(switches: Switches, definitions: Definitions): string[] {
  const problems: string[] = [];
  for (const [name, definition] of definitions) {
    for (const needed of definition.dependsOn ?? []) {
      if (!definitions.has(needed)) {
        const near = didYouMean(closestName(needed, [...definitions.keys()]));
        problems.push(`modules/${name}/module.ts: depends on '${needed}', which is no module${near || '.'}`);
      } else if (isOn(switches, name) && !isOn(switches, needed)) {
        problems.push(`app.config.ts: ${name} needs ${needed}, which is off.`);
      }
    }
  }
  return problems;
}

function isOn(switches: Switches, name: string): boolean {
  return switches[name] !== undefined && switches[name] !== false;
}
