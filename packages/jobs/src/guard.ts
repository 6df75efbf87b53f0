/**
 * What must be true of the queue's Redis before a job is entrusted to it. Reads INFO
 * and nothing else: managed servers forbid CONFIG.
 */
import type { Redis } from 'ioredis';
import { openRedis } from './redis-address.ts';

export interface Findings {
  /** Reasons not to start. */
  refusals: StoreFault[];
  /** What the operator should know. */
  warnings: StoreFault[];
}

export interface StoreFault {
  code: 'queue.evicts' | 'stores.exchanged' | 'stores.one_evicting' | 'stores.one' | 'queue.no_aof';
  /** A sentence of what is so. */
  cause: string;
  /** A sentence of what to do. */
  fix: string;
}

export interface StoreUrls {
  /** `REDIS_QUEUE_URL` */
  queueUrl: string;
  /** `REDIS_URL`, or null without a cache. */
  cacheUrl: string | null;
}

export interface StoreServer {
  runId: string;
  policy: string;
  appendOnly: boolean;
}

/** Looks at both stores. Rejects when the queue's does not answer; a cache that is down is no reason not to start. */
export async function inspectStores({ queueUrl, cacheUrl }: StoreUrls): Promise<Findings> {
  const queue = await inspect(queueUrl);
  const cache = cacheUrl === null ? null : await inspect(cacheUrl).catch(() => null);
  return judgeStores(queue, cache);
}

/** A refusal in the failure matrix's words, for whoever does not start because of it. */
export function refusalSentence({ cause, fix }: StoreFault): string {
  return `Jobs silently disappear: ${cause} ${fix}`;
}

export function judgeStores(queue: StoreServer, cache: StoreServer | null): Findings {
  const refusal = refusalOf(queue, cache);
  if (refusal) return { refusals: [refusal], warnings: [] };
  const warnings: StoreFault[] = [];
  if (cache?.runId === queue.runId) {
    warnings.push({
      code: 'stores.one',
      cause: 'REDIS_URL and REDIS_QUEUE_URL are one Redis: when the cache fills it, jobs cannot be handed out.',
      fix: 'Give each a server.',
    });
  }
  if (!queue.appendOnly) {
    warnings.push({
      code: 'queue.no_aof',
      cause:
        'The Redis of REDIS_QUEUE_URL keeps no append-only file. Jobs are safe in Postgres; after a restart they are handed out again.',
      fix: 'Start it with --appendonly yes.',
    });
  }
  return { refusals: [], warnings };
}

function refusalOf(queue: StoreServer, cache: StoreServer | null): StoreFault | null {
  if (queue.policy === 'noeviction') return null;
  if (cache && cache.runId !== queue.runId && cache.policy === 'noeviction') {
    return {
      code: 'stores.exchanged',
      cause: `REDIS_QUEUE_URL points at a Redis that evicts (${queue.policy}) and REDIS_URL at one that does not.`,
      fix: 'The two are exchanged: swap them.',
    };
  }
  if (cache?.runId === queue.runId) {
    return {
      code: 'stores.one_evicting',
      cause: `REDIS_URL and REDIS_QUEUE_URL are one Redis, and it evicts (${queue.policy}).`,
      fix: 'Give the queue a server of its own with maxmemory-policy noeviction.',
    };
  }
  return {
    code: 'queue.evicts',
    cause: `the Redis of REDIS_QUEUE_URL evicts (maxmemory-policy ${queue.policy}).`,
    fix: 'Set it to noeviction.',
  };
}

async function inspect(url: string): Promise<StoreServer> {
  const redis = openRedis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: 2_000,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await describeStore(redis);
  } finally {
    redis.disconnect();
  }
}

/** What a server says of itself, on a connection that stands. */
export async function describeStore(redis: Redis): Promise<StoreServer> {
  const [server, memory, persistence] = await Promise.all([
    redis.info('server'),
    redis.info('memory'),
    redis.info('persistence'),
  ]);
  return {
    runId: field(server, 'run_id'),
    policy: field(memory, 'maxmemory_policy'),
    appendOnly: field(persistence, 'aof_enabled') === '1',
  };
}

function field(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
}
