import { type Database, type DatabaseOptions, poolerProblems } from '@ballast/db';
import { AppError } from '@ballast/kernel';
import type { Logger } from '@ballast/observability/logger';
import type { Config } from './config.ts';
import { retry } from './retry.ts';

/** A pool that goes through the pooler, and as whom. */
export interface Pooled {
  db: Database;
  role: string;
}

type Way = Pick<DatabaseOptions, 'url' | 'role' | 'pooled'>;

const authRole = 'ballast_auth';

/** For sign-ups, sessions and whatever else touches identity; separate, since no other pool may read it. Doctor counts to it. */
export const authConnections = 5;

/** The pooler that a process is to use; workers hold transactions for as long as their jobs take, and use none. */
export function poolerOf(config: Config<'api'> | Config<'worker'>): string | undefined {
  return config.process === 'api' ? (config as Config<'api'>).values.DATABASE_POOLER : undefined;
}

/** How requests and identity get to Postgres. */
export function waysToPostgres(url: string, pooler: string | undefined): Record<'app' | 'auth', Way> {
  if (pooler === undefined) return { app: { url }, auth: { url, role: authRole } };
  return {
    app: { url: throughPooler(pooler, url), pooled: true },
    // A session of the pooler puts on no role: it logs in as it, with the password of who may wear it.
    auth: { url: throughPooler(pooler, url, authRole), pooled: true },
  };
}

/** The login and the database of `url` at the pooler's address. Parameters, such as sslmode, are the pooler's. */
export function throughPooler(pooler: string, url: string, role?: string): string {
  const [way, direct] = [new URL(pooler), new URL(url)];
  way.username = role ?? direct.username;
  way.password = direct.password;
  if (way.pathname === '' || way.pathname === '/') way.pathname = direct.pathname;
  return way.href;
}

export function pooledPools(app: Database, auth: Database): Pooled[] {
  return [
    { db: app, role: 'ballast_app' },
    { db: auth, role: authRole },
  ];
}

/**
 * Resolves when what must hold for a request's session holds behind the pooler, or at once without one; throws
 * when it does not. Waits for a pooler that does not answer.
 */
export async function refuseUnsafePooler(
  pools: readonly Pooled[],
  limitMs: number,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  let problems: string[] = [];
  await retry(signal, log, async () => {
    problems = (await Promise.all(pools.map(({ db, role }) => poolerProblems(db, { role, limitMs })))).flat();
  });
  if (problems.length === 0) return;
  throw new AppError('pooler.unsafe', { public: [...new Set(problems)].join('\n'), retryable: false });
}
