/**
 * What must be true of the queue's Redis before a job is entrusted to it. Reads INFO
 * and nothing else: managed servers forbid CONFIG.
 */
import { Redis } from 'ioredis';

export interface Findings {
  /** Reasons not to start, each a sentence that says what to do. */
  refusals: string[];
  /** What the operator should know. */
  warnings: string[];
}

export interface StoreUrls {
  /** `REDIS_QUEUE_URL` */
  queueUrl: string;
  /** `REDIS_URL`, or null without a cache. */
  cacheUrl: string | null;
}

interface Server {
  runId: string;
  policy: string;
  appendOnly: boolean;
}

/** Looks at both stores. Rejects when the queue's does not answer; a cache that is down is no reason not to start. */
export async function inspectStores({ queueUrl, cacheUrl }: StoreUrls): Promise<Findings> {
  const queue = await inspect(queueUrl);
  const cache = cacheUrl === null ? null : await inspect(cacheUrl).catch(() => null);
  return judge(queue, cache);
}

function judge(queue: Server, cache: Server | null): Findings {
  const evicts = queue.policy !== 'noeviction';
  if (evicts && cache && cache.runId !== queue.runId && cache.policy === 'noeviction') {
    return refuse(
      `Jobs silently disappear: REDIS_QUEUE_URL points at a Redis that evicts (${queue.policy}) and REDIS_URL at one that does not. The two are exchanged: swap them.`,
    );
  }
  if (evicts && cache && cache.runId === queue.runId) {
    return refuse(
      `Jobs silently disappear: REDIS_URL and REDIS_QUEUE_URL are one Redis, and it evicts (${queue.policy}). Give the queue a server of its own with maxmemory-policy noeviction.`,
    );
  }
  if (evicts) {
    return refuse(
      `Jobs silently disappear: the Redis of REDIS_QUEUE_URL evicts (maxmemory-policy ${queue.policy}). Set it to noeviction.`,
    );
  }
  const warnings: string[] = [];
  if (cache?.runId === queue.runId) {
    warnings.push(
      'REDIS_URL and REDIS_QUEUE_URL are one Redis. When the cache fills it, jobs cannot be handed out: give each a server.',
    );
  }
  if (!queue.appendOnly) {
    warnings.push(
      'The Redis of REDIS_QUEUE_URL keeps no append-only file. Jobs are safe in Postgres; after a restart they are handed out again.',
    );
  }
  return { refusals: [], warnings };
}

function refuse(sentence: string): Findings {
  return { refusals: [sentence], warnings: [] };
}

async function inspect(url: string): Promise<Server> {
  const redis = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: 2_000,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
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
  } finally {
    redis.disconnect();
  }
}

function field(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
}
