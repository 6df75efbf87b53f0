import type { z } from 'zod';

/**
 * What a module needs from the environment (`settings`) and from `app.config.ts`
 * (`options`). `apps/api/src/config.ts` is the only reader of the environment: it
 * merges the active modules' settings and reports every problem at once.
 *
 * @example
 * export const config = defineConfig('support', {
 *   settings: { SUPPORT_EMAIL: { schema: z.email(), description: 'Where requests are sent.' } },
 *   options: z.strictObject({ maxChars: z.int().default(5000) }),
 * });
 */
export interface ModuleConfig<
  Settings extends Record<string, Setting> = Record<string, Setting>,
  Options extends z.ZodType = z.ZodType,
> {
  module: string;
  settings: Settings;
  options: Options;
}

export interface Setting {
  schema: z.ZodType;
  description: string;
  /** Secrets may come from `NAME_FILE` or `/run/secrets/<name>`, and are never printed. */
  secret?: boolean;
  /** What `npm start` and tests use when nothing is set. Production refuses it for secrets. */
  development?: string;
}

/** Types a module's configuration without widening it. Returns what it was given. */
export function defineConfig<const Settings extends Record<string, Setting>, Options extends z.ZodType>(
  module: string,
  config: { settings: Settings; options: Options },
): ModuleConfig<Settings, Options> {
  return { module, ...config };
}

/** The values a module reads: its settings by name, and its options. */
export type ConfigValues<Config> =
  Config extends ModuleConfig<infer Settings, infer Options>
    ? { [Name in keyof Settings]: z.output<Settings[Name]['schema']> } & { options: z.output<Options> }
    : never;
