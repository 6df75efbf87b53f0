/**
 * The configuration: the one reader of the environment and of /run/secrets. Each
 * NAME comes from a file in the secrets directory, else from the file that
 * NAME_FILE names, else from the environment. Whatever is wrong is reported at
 * once, by name, and no secret's value is ever printed.
 *
 * @example
 * const config = loadConfig('api', { modules });
 * config.values.PUBLIC_URL;          // 'https://app.acme.com'
 * config.settings(support).SUPPORT_EMAIL;
 */
import {
  AppError,
  type ConfigValues,
  closestName,
  type JobDefinition,
  type ModuleConfig,
  type Setting,
} from '@ballast/kernel';
import { directoryProblem, listed, readValue, type Sources } from '@ballast/settings/read-value';
import { isPlaceholder } from './config/placeholder.ts';
import { namesOf, type Process, settings, type Values } from './config/settings.ts';

export interface Config<P extends Process = Process> {
  process: P;
  /** `production` refuses placeholders and development values. */
  environment: 'local' | 'production';
  values: Values<P>;
  /** Names that look mistyped; to be logged at boot. */
  warnings: string[];
  /** What a module reads, by its `defineConfig`. */
  settings<Wanted extends ModuleConfig>(config: Wanted): ConfigValues<Wanted>;
}

/** A module's configuration, and its options from `app.config.ts`. */
export interface ActiveModule {
  config: ModuleConfig;
  options: unknown;
}

export interface LoadOptions extends Partial<Sources> {
  modules?: readonly ActiveModule[];
  /** The jobs of the active modules: some need what others do not. */
  jobs?: readonly { job: Pick<JobDefinition, 'name' | 'secrets'> }[];
}

/** Reads and checks everything that `process` needs, or throws one AppError with every problem. */
export function loadConfig<P extends Process>(processName: P, options: LoadOptions = {}): Config<P> {
  const { config, problems } = inspectConfig(processName, options);
  if (problems.length > 0) throw invalid(processName, problems);
  return config;
}

/** The same without a throw: what is wrong is undefined in `values`. For whoever explains what is wrong. */
export function inspectConfig<P extends Process>(
  processName: P,
  options: LoadOptions = {},
): { config: Config<P>; problems: string[] } {
  const sources: Sources = {
    env: options.env ?? process.env,
    secretsDirectory: options.secretsDirectory ?? '/run/secrets',
  };
  const reader = createReader(sources);
  const values = reader.readAll(Object.fromEntries(namesOf[processName].map((name) => [name, settings[name]])));
  const modules = (serves(processName) ? (options.modules ?? []) : []).map((module) => ({
    config: module.config,
    values: { ...reader.readAll(module.config.settings), options: readOptions(module, reader.problems) },
  }));
  const problems = [
    ...[directoryProblem(sources.secretsDirectory) ?? []].flat(),
    ...reader.problems,
    ...crossProblems(processName, values, reader),
    ...keyProblems(values, options.jobs ?? [], reader.problems),
    ...ownerProblems(processName, reader.environment, sources),
    ...failpointProblems(reader.environment, sources),
  ];
  const config: Config<P> = {
    process: processName,
    environment: reader.environment,
    values: values as Values<P>,
    warnings: mistyped(sources, [
      ...Object.keys(settings),
      ...modules.flatMap(({ config }) => Object.keys(config.settings)),
    ]),
    settings: <Wanted extends ModuleConfig>(wanted: Wanted) => {
      const found = modules.find(({ config }) => config.module === wanted.module);
      if (!found)
        throw new Error(`The module ${wanted.module} has no settings here: it is off, or not in app.config.ts.`);
      return found.values as unknown as ConfigValues<Wanted>;
    },
  };
  return { config, problems };
}

function createReader(sources: Sources) {
  const problems: string[] = [];
  const environment = environmentOf(sources);
  const read = (name: string, setting: Setting): unknown => {
    const found = readValue(name, sources);
    if (found && 'problem' in found) {
      problems.push(`${found.origin} ${found.problem}.`);
      return undefined;
    }
    const origin = found?.origin ?? name;
    const value = found?.value ?? (environment === 'local' ? setting.development : undefined);
    if (found && environment === 'production') {
      const refused = refusedInProduction(found.value, setting);
      if (refused) problems.push(`${origin} ${refused}.`);
    }
    const parsed = setting.schema.safeParse(value);
    if (parsed.success) return parsed.data;
    if (value === undefined) problems.push(`${name} is missing: ${setting.description}${hint(name, sources)}`);
    else problems.push(`${origin} ${parsed.error.issues.map((issue) => sentence(issue.message)).join('; ')}.`);
    return undefined;
  };
  return {
    problems,
    environment,
    readAll: (table: Record<string, Setting>): Record<string, unknown> =>
      Object.fromEntries(Object.entries(table).map(([name, setting]) => [name, read(name, setting)])),
  };
}

function environmentOf(sources: Sources): 'local' | 'production' {
  const said = readValue('BALLAST_ENV', sources);
  if (said && 'value' in said) return said.value === 'local' ? 'local' : 'production';
  return sources.env.NODE_ENV === 'production' ? 'production' : 'local';
}

function refusedInProduction(value: string, setting: Setting): string | null {
  if (setting.secret && isPlaceholder(value)) return 'is a placeholder; production needs a value of its own';
  if (setting.secret && value === setting.development) return 'is the development value; production needs its own';
  if (/\bexample\.(?:com|org|net)\b/i.test(value)) return 'names an example domain; production needs a real one';
  return null;
}

function crossProblems(
  processName: Process,
  values: Record<string, unknown>,
  reader: { environment: string; problems: string[] },
) {
  const problems: string[] = [];
  const consumes = processName === 'worker' || values.DISABLE_BACKGROUND_WORKERS === false;
  const reported = reader.problems.some((problem) => /database_dispatcher_url/i.test(problem));
  if (consumes && values.DATABASE_DISPATCHER_URL === undefined && !reported) {
    const way = processName !== 'worker' ? ' Or set DISABLE_BACKGROUND_WORKERS=true and run workers of their own.' : '';
    problems.push(`DATABASE_DISPATCHER_URL is missing: ${settings.DATABASE_DISPATCHER_URL.description}${way}`);
  }
  const publicUrl = values.PUBLIC_URL;
  if (reader.environment === 'production' && typeof publicUrl === 'string' && !publicUrl.startsWith('https://')) {
    problems.push('PUBLIC_URL must begin with https:// in production: browsers keep session cookies to https.');
  }
  return problems;
}

/** Nobody is asked for keys that nothing would use. */
function keyProblems(
  values: Record<string, unknown>,
  jobs: NonNullable<LoadOptions['jobs']>,
  reported: readonly string[],
): string[] {
  const needing = jobs.find(({ job }) => job.secrets.length > 0);
  if (!needing || values.ENCRYPTION_KEYS !== undefined) return [];
  if (reported.some((problem) => /encryption_keys/i.test(problem))) return [];
  const { name } = needing.job;
  return [`ENCRYPTION_KEYS is missing, and the job ${name} has secret fields: ${settings.ENCRYPTION_KEYS.description}`];
}

const serves = (processName: Process) => processName === 'api' || processName === 'worker' || processName === 'doctor';

/** Whoever breaks into a process that serves has what that process holds. */
function ownerProblems(processName: Process, environment: string, sources: Sources): string[] {
  if (!serves(processName) || environment === 'local') return [];
  return ['DATABASE_OWNER_URL', 'DATABASE_ADMIN_URL']
    .filter((name) => readValue(name, sources))
    .map((name) => `${name} is for the migration only; do not give it to the ${processName}.`);
}

/** Of the fault tests (`packages/jobs/src/failpoint.ts`), which nothing else may use: what it names kills its process. */
function failpointProblems(environment: string, { env }: Sources): string[] {
  if (environment === 'local' || !env.BALLAST_FAILPOINTS) return [];
  return ['BALLAST_FAILPOINTS kills and freezes processes, for tests: production must not have it. Remove it.'];
}

function readOptions(module: ActiveModule, problems: string[]): unknown {
  const parsed = module.config.options.safeParse(module.options ?? {});
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const path = [module.config.module, ...issue.path].map(String).join('.');
    problems.push(`app.config.ts, ${path}: ${issue.message}.`);
  }
  return undefined;
}

/** A name in the environment that is one slip away from the missing one. */
function hint(missing: string, sources: Sources): string {
  const given = [...Object.keys(sources.env), ...listed(sources.secretsDirectory).map((name) => name.toUpperCase())];
  const others = given.filter((name) => !(name in settings) && !(name.replace(/_FILE$/, '') in settings));
  const near = others.find((name) => closestName(name, [missing, `${missing}_FILE`]) !== null && name.length > 4);
  return near ? ` ${near} is set; did you mean ${missing}?` : '';
}

function mistyped(sources: Sources, known: string[]): string[] {
  const unknown = Object.keys(sources.env).filter(
    (name) => !known.includes(name.replace(/_FILE$/, '')) && name.length > 6,
  );
  return unknown.flatMap((name) => {
    const unset = known.filter((candidate) => !(candidate in sources.env) && sharesStart(candidate, name));
    const near = closestName(name, unset);
    return near ? [`${name} is set and no setting has this name; did you mean ${near}?`] : [];
  });
}

/** Half of every machine's variables are three edits from one of ours; slips are rarely in the first letters. */
function sharesStart(left: string, right: string): boolean {
  return left.slice(0, 3) === right.slice(0, 3) && Math.abs(left.length - right.length) <= 2;
}

function sentence(message: string): string {
  return message.startsWith('must') ? message : `is not valid (${message})`;
}

function invalid(processName: Process, problems: string[]): AppError {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return new AppError('config.invalid', {
    public: `The ${processName} cannot start: ${count} in its configuration.\n${problems.map((problem) => `- ${problem}`).join('\n')}`,
    retryable: false,
  });
}
