import { checkMigrations, type Database, openDatabase } from '@ballast/db';
import { AppError, type Log } from '@ballast/kernel';
import { freshAnswer } from '@ballast/observability/fresh-answer';

/** One thing that was looked at. */
export interface Check {
  name: string;
  ok: boolean;
  code?: string;
  detail?: string;
}

export interface Health {
  /** Everything, looked at now or a moment ago. */
  report(): Promise<{ checks: Check[]; problem: AppError | null }>;
  /** Why no traffic should come, or null. A schema that is ahead is fine: migrations only add until no old replica is left. */
  notReady(): Promise<AppError | null>;
  /** From now on not ready. */
  startDraining(): void;
  draining(): boolean;
  close(): Promise<void>;
}

export interface HealthOptions {
  databaseUrl: string;
  /** Whether a pooler is between. */
  pooled?: boolean;
  migrations: readonly { module: string; name: string }[];
  applicationName: string;
  /** Whether what this process is for has begun. */
  started?: () => boolean;
  log: Log;
}

/** An answer is promised within two seconds, whatever the database does. */
const patienceMs = 1_500;
/** Probes of several balancers, or of a stranger, cost one query together. */
const freshMs = 500;

/** Looks at the database through a connection of its own, so that a full pool is not taken for an outage. */
export function createHealth(options: HealthOptions): Health {
  let probe = openProbe(options);
  let draining = false;
  let schemaSeen = false;
  let known = true;

  async function look(): Promise<Check[]> {
    const asked = probe;
    try {
      const { missing, ahead } = await within(patienceMs, checkMigrations(asked, options.migrations));
      schemaSeen ||= missing.length === 0;
      if (!known) options.log.info({}, 'Postgres answers again');
      known = true;
      return [{ name: 'database', ok: true }, schemaCheck(missing, ahead)];
    } catch (error) {
      if (known) options.log.warn({ error }, 'Postgres does not answer');
      known = false;
      // A half-open connection would hold up every later look: begin again with a new one.
      asked.close().catch(() => {});
      probe = openProbe(options);
      return [(error as { code?: string }).code === tooManyConnections ? busy : unreachable];
    }
  }

  const checks = freshAnswer(look, freshMs);

  return {
    async report() {
      const all = [...(await checks()), ...(draining ? [drainingCheck] : [])];
      return { checks: all, problem: problemOfChecks(all) };
    },
    async notReady() {
      if (draining) return problemOfChecks([drainingCheck]);
      const seen = schemaSeen ? [] : await checks();
      if (!schemaSeen) return problemOfChecks(seen);
      return options.started?.() === false ? problemOfChecks([startingCheck]) : null;
    },
    startDraining() {
      draining = true;
    },
    draining: () => draining,
    close: () => probe.close(),
  };
}

function openProbe(options: HealthOptions): Database {
  return openDatabase({
    url: options.databaseUrl,
    applicationName: options.applicationName,
    maxConnections: 1,
    connectTimeoutSeconds: 1,
    statementTimeoutMs: patienceMs,
    ...(options.pooled ? { pooled: true } : {}),
  });
}

const unreachable: Check = {
  name: 'database',
  ok: false,
  code: 'database.unreachable',
  detail: 'Postgres cannot be reached. Start it, or correct DATABASE_URL; this recovers by itself.',
};

/** Postgres' own code. */
const tooManyConnections = '53300';

const busy: Check = {
  name: 'database',
  ok: false,
  code: 'database.busy',
  detail:
    'Postgres has no free connection left. Lower DATABASE_POOL_SIZE or the number of replicas, or raise max_connections.',
};

const drainingCheck: Check = {
  name: 'process',
  ok: false,
  code: 'server.draining',
  detail: 'This process is shutting down.',
};

const startingCheck: Check = {
  name: 'process',
  ok: false,
  code: 'server.starting',
  detail: 'This process has not begun to take jobs yet.',
};

function schemaCheck(missing: string[], ahead: string[]): Check {
  if (missing.length > 0) {
    const detail = `Migrations are missing: ${missing.join(', ')}. Run the migration: node apps/api/dist/migrate.js`;
    return { name: 'migrations', ok: false, code: 'migrations.missing', detail };
  }
  if (ahead.length > 0) {
    const detail = `The database is ahead of this build: ${ahead.join(', ')}. Deploy the build that brought them.`;
    return { name: 'migrations', ok: false, code: 'migrations.ahead', detail };
  }
  return { name: 'migrations', ok: true };
}

function problemOfChecks(checks: Check[]): AppError | null {
  const failed = checks.find((check) => !check.ok);
  if (!failed) return null;
  return new AppError(failed.code ?? 'health.failed', {
    status: 503,
    public: failed.detail ?? 'Not healthy.',
    retryAfterSeconds: 2,
  });
}

async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
