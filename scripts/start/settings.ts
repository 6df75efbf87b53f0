import { join, resolve } from 'node:path';
import { StartProblem } from './start-problem.ts';

export const root = resolve(import.meta.dirname, '../..');

/** What a person can choose when starting Ballast, with its defaults. Read once, here. */
export interface Settings {
  data: string;
  logs: string;
  webPort: number;
  apiPort: number;
  workerPort: number;
  metricsPort: number;
  inboxPort: number;
  smtpPort: number;
  /** Undefined: any free port, since only Ballast's own processes connect. */
  postgresPort: number | undefined;
  publicUrl: string;
  graceMs: number;
  /** Given addresses; without them an embedded service is started. */
  databaseUrl: string | undefined;
  databaseDispatcherUrl: string | undefined;
  databaseOwnerUrl: string | undefined;
  smtpUrl: string | undefined;
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const data = resolve(root, env.BALLAST_DATA || '.ballast');
  const webPort = port(env, 'WEB_PORT', port(env, 'PORT', 3000));
  const settings: Settings = {
    data,
    logs: join(data, 'log'),
    webPort,
    apiPort: port(env, 'API_PORT', 3001),
    workerPort: port(env, 'WORKER_PORT', 3002),
    metricsPort: port(env, 'METRICS_PORT', 3003),
    inboxPort: port(env, 'INBOX_PORT', 1080),
    smtpPort: port(env, 'SMTP_PORT', 1025),
    postgresPort: env.POSTGRES_PORT ? port(env, 'POSTGRES_PORT', 0) : undefined,
    publicUrl: env.PUBLIC_URL || `http://localhost:${webPort}`,
    graceMs: Number(env.SHUTDOWN_GRACE_MS) || 10_000,
    databaseUrl: env.DATABASE_URL || undefined,
    databaseDispatcherUrl: env.DATABASE_DISPATCHER_URL || undefined,
    databaseOwnerUrl: env.DATABASE_OWNER_URL || undefined,
    smtpUrl: env.SMTP_URL || undefined,
  };
  if (settings.databaseUrl && !(settings.databaseDispatcherUrl && settings.databaseOwnerUrl)) {
    throw new StartProblem(
      'DATABASE_URL is set, so DATABASE_DISPATCHER_URL and DATABASE_OWNER_URL are needed too: ' +
        'the worker and the migrations log in under roles of their own. Set all three, or none to use the embedded Postgres.',
    );
  }
  return settings;
}

function port(env: NodeJS.ProcessEnv, name: string, otherwise: number): number {
  const text = env[name];
  if (!text) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65535) {
    throw new StartProblem(`${name} is "${text}". It must be a port: a number from 1 to 65535.`);
  }
  return value;
}
