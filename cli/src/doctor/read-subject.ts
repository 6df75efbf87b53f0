import { basename } from 'node:path';
import type { Place, Subject } from '@ballast/doctor';
import { AppError } from '@ballast/kernel';
import appDefinition from '../../../app.config.ts';
import { refuseStaleSnapshot } from '../../../apps/api/src/active-set.ts';
import { settings, type Values } from '../../../apps/api/src/config/settings.ts';
import { inspectConfig } from '../../../apps/api/src/config.ts';
import { expectedMigrations } from '../../../apps/api/src/expected-migrations.ts';
import { modules } from '../../../apps/api/src/generated/config.ts';
import { jobs } from '../../../apps/api/src/generated/jobs.ts';
import snapshot from '../../../apps/api/src/generated/routes.snapshot.json' with { type: 'json' };
import { authConnections, throughPooler } from '../../../apps/api/src/pooler.ts';
import { release } from '../../../apps/api/src/release.ts';
import { dataFolder, embeddedUrl, type Surroundings } from '../database/dispatcher-url.ts';
import { apiReplicas } from './api-replicas.ts';
import { endpoints, processesHere } from './endpoints.ts';
import { readTold, type Told } from './told.ts';

/** What is to be examined here: in an image the process beside, in a checkout what `npm start` runs or the environment names. */
export async function readSubject(surroundings: Surroundings): Promise<Subject> {
  const { env, secretsDirectory } = surroundings;
  const inImage = basename(import.meta.dirname) === 'dist';
  const data = dataFolder(surroundings);
  const told = inImage ? null : readTold(data);
  // A name of the start script's, which the processes do not read.
  const { BALLAST_DATA: _, ...own } = env;
  const known = told
    ? { ...own, ...told.settings, DATABASE_URL: env.DATABASE_URL || embeddedUrl(data, 'app') || undefined }
    : own;
  const { config, problems } = inspectConfig('doctor', { env: known, secretsDirectory, modules, jobs });
  // What is missing is undefined, whatever the type says: the process it is for would not have started.
  const values: Partial<typeof config.values> = config.values;
  const build = await readBuild();
  const nothingRuns = !inImage && !told && values.DATABASE_URL === undefined;
  return {
    place: placeOf(env, inImage, told),
    environment: config.environment,
    problems: nothingRuns ? [nothingRunsOn(data)] : [...problems, ...build.problems],
    warnings: config.warnings,
    notHere: told ? told.given.filter((name) => !env[name]) : [],
    databaseUrl: values.DATABASE_URL ?? null,
    poolerUrl: poolerUrlOf(values),
    requestMs: values.REQUEST_TIMEOUT_MS ?? usual('REQUEST_TIMEOUT_MS'),
    poolSize: values.DATABASE_POOL_SIZE ?? usual('DATABASE_POOL_SIZE'),
    authPoolSize: authConnections,
    queueUrl: values.REDIS_QUEUE_URL ?? null,
    cacheUrl: values.REDIS_URL ?? null,
    smtpUrl: nothingRuns ? null : (values.SMTP_URL ?? null),
    publicUrl: nothingRuns ? null : (values.PUBLIC_URL ?? null),
    // The Compose file's own.
    tlsEdge: inImage ? { host: 'caddy', port: 443 } : null,
    consumes: values.DISABLE_BACKGROUND_WORKERS === false,
    metrics: nothingRuns ? [] : endpoints(values, processesHere(inImage, told)),
    now: Date.now,
    release,
    apis: inImage ? await apiReplicas('api', values.API_PORT ?? usual('API_PORT')) : [],
    migrations: build.migrations,
    jobs: jobs.map(({ job }) => `${job.name}@${job.version}`),
    staleSnapshot: build.staleSnapshot,
    folders: told ? [data] : [],
  };
}

/** What a process runs with that is told nothing. One that is told nonsense does not run: there it is the nearest guess. */
const usual = (name: 'REQUEST_TIMEOUT_MS' | 'DATABASE_POOL_SIZE' | 'API_PORT') =>
  settings[name].schema.parse(undefined);

function poolerUrlOf({ DATABASE_URL, DATABASE_POOLER }: Partial<Values<'doctor'>>): string | null {
  return DATABASE_URL && DATABASE_POOLER ? throughPooler(DATABASE_POOLER, DATABASE_URL) : null;
}

function nothingRunsOn(data: string): string {
  return (
    `No Ballast runs on ${data}, and DATABASE_URL is not set: run npm start, ` +
    'or run doctor where Ballast runs, such as docker compose exec api ballast doctor.'
  );
}

function placeOf(env: Surroundings['env'], inImage: boolean, told: Told | null): Place {
  if (inImage && env.BALLAST_STACK) return { stack: env.BALLAST_STACK };
  if (inImage) return env.KUBERNETES_SERVICE_HOST ? 'elsewhere' : 'compose';
  return told || !env.DATABASE_URL ? 'laptop' : 'elsewhere';
}

/** What this build contains; an incomplete or stale one is a finding like any other. */
async function readBuild(): Promise<Pick<Subject, 'migrations' | 'staleSnapshot'> & { problems: string[] }> {
  const problems: string[] = [];
  let staleSnapshot: string | null = null;
  try {
    refuseStaleSnapshot(appDefinition, snapshot);
  } catch (error) {
    staleSnapshot = sentenceOf(error);
  }
  const migrations = await expectedMigrations().catch((error: unknown) => {
    problems.push(sentenceOf(error));
    return [];
  });
  return { problems, staleSnapshot, migrations };
}

function sentenceOf(error: unknown): string {
  if (error instanceof AppError) return error.public;
  throw error;
}
