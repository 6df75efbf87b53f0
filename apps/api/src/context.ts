/**
 * What a process opens and how it lets go of it again. Nothing connects before it
 * is used, so that a process starts, and says what is wrong, while Postgres is away.
 *
 * @example
 * const [context, release] = openContext(config, log);
 * await release();
 */
import { openRateLimiter } from '@ballast/cache/rate-limit';
import { type Database, openDatabase } from '@ballast/db';
import type { Edge, Services } from '@ballast/http';
import { openRequestContext } from '@ballast/http/open-request-context';
import { openMail } from '@ballast/mail';
import { openAuth } from '@ballast/modules/accounts/auth';
import { config as accounts } from '@ballast/modules/accounts/config';
import type { Logger } from '@ballast/observability/logger';
import type { Config } from './config.ts';
import { authConnections, type Pooled, pooledPools, poolerOf, waysToPostgres } from './pooler.ts';

export interface Context {
  log: Logger;
  /** As `ballast_app`, for requests. */
  db: Database;
  /** Those of its pools that go through a pooler. */
  pooled: readonly Pooled[];
  services: Services;
  edge: Edge;
}

export type Release = () => Promise<void>;

/** Opens what requests and jobs share. `release` closes it in the opposite order. */
export function openContext(config: Config<'api'> | Config<'worker'>, log: Logger): [Context, Release] {
  const { values } = config;
  const pooler = poolerOf(config);
  const ways = waysToPostgres(values.DATABASE_URL, pooler);
  const shared = { keys: values.ENCRYPTION_KEYS, ...limitsOf(config) };
  const db = openDatabase({
    ...shared,
    ...ways.app,
    applicationName: `ballast-${config.process}`,
    maxConnections: values.DATABASE_POOL_SIZE,
  });
  const authDb = openDatabase({
    ...shared,
    ...ways.auth,
    applicationName: `ballast-${config.process}-auth`,
    maxConnections: authConnections,
  });
  const mail = openMail({ smtpUrl: values.SMTP_URL, from: values.MAIL_FROM });
  const limiter = openRateLimiter({
    redisUrl: values.REDIS_URL ?? null,
    onStateChange: (state, error) => {
      if (state === 'lost') log.warn({ error }, 'cache lost: limits are counted in this process until it is back');
      else log.info({}, 'cache connected');
    },
  });
  const auth = openAuth({
    database: authDb,
    secret: values.AUTH_SECRET,
    previousSecret: values.AUTH_SECRET_PREVIOUS,
    publicUrl: values.PUBLIC_URL,
    ...config.settings(accounts).options,
    log: log.child({ component: 'auth' }),
  });
  const services: Services = { mail, auth, publicUrl: values.PUBLIC_URL, limiter, settings: config.settings };
  const edge: Edge = {
    identify: (headers, organizationId) => auth.identify(headers, organizationId),
    limiter,
    open: (caller) => openRequestContext(db, services, caller),
  };
  const release = async () => {
    await mail.close();
    await Promise.all([limiter.close(), db.close(), authDb.close()]);
  };
  const pooled = pooler === undefined ? [] : pooledPools(db, authDb);
  return [{ log, db, pooled, services, edge }, release];
}

/**
 * A pool that stays full for this long is overloaded: who waits is told so, and to come back (row 22). Longer than a
 * replica that starts beside this one takes the processors: to wait for that is better than to be sent away.
 */
const queueTimeoutMs = 4_000;

/** A statement that outlives its request works for nobody; a transaction that idles holds rows of others. */
function limitsOf(config: Config<'api'> | Config<'worker'>) {
  if (config.process === 'worker') return { idleInTransactionTimeoutMs: 30_000 };
  const requestMs = (config as Config<'api'>).values.REQUEST_TIMEOUT_MS;
  return { statementTimeoutMs: requestMs, idleInTransactionTimeoutMs: requestMs, queueTimeoutMs };
}
