import type { MenuIcon } from './menu-icons.ts';

/**
 * A module is a feature that `app.config.ts` switches on and off. Its `module.ts`
 * is the table of contents: data only, so that reading it is reading the feature.
 */
export interface ModuleDefinition {
  /** The folder's name, kebab-case. */
  name: string;
  /** One sentence for the list of modules. */
  description: string;
  /** True for a module that the product cannot run without. */
  alwaysOn?: boolean;
  /** Modules whose declared doors this one may import. */
  dependsOn?: readonly string[];
  /** What a role can be allowed to do here, as `module:verb`. */
  permissions?: readonly string[];
  /** Whether `routes.ts` exists; it is mounted at `/api/<name>`. */
  routes?: boolean;
  /** Whether `internal.ts` exists: what other parts of an installation ask, at `/internal/<name>` on a port that the public does not reach. */
  internal?: boolean;
  /** Whether `config.ts` exists. */
  config?: boolean;
  /** Job files without their ending: `deliver` for `jobs/deliver.job.ts` and `jobs/deliver.handler.ts`. */
  jobs?: readonly string[];
  /** Schedule files without their ending: `remind` for `schedules/remind.schedule.ts`. */
  schedules?: readonly string[];
  /** Pages of the signed-in area. */
  pages?: readonly ModulePage[];
  /** Languages of `messages/<locale>.json`. */
  messages?: readonly string[];
}

export interface ModulePage {
  /** The address inside the signed-in area, such as `/support`. */
  path: string;
  /** The file without its ending: `support` for `web/support.page.tsx`. */
  file: string;
  /** The entry in the menu; a page without one is reached by links. `label` is a key in the module's messages. */
  menu?: { label: string; icon: MenuIcon; order: number };
}

/** Types a module's data without widening it. Returns what it was given. */
export function defineModule<const Definition extends ModuleDefinition>(definition: Definition): Definition {
  return definition;
}

/** `true` is on with the defaults, an object is on with options, `false` is off: absent, not destroyed. */
export type ModuleSwitch = boolean | Record<string, unknown>;

export interface AppDefinition {
  /** The product's name, as people read it. */
  name: string;
  modules: Readonly<Record<string, ModuleSwitch>>;
}

/** Types `app.config.ts`. Returns what it was given. */
export function defineApp<const Definition extends AppDefinition>(definition: Definition): Definition {
  return definition;
}
