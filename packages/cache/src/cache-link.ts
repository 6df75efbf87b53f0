import { Redis } from 'ioredis';

/**
 * The connection to the cache, for whoever can do without it: what it does not answer
 * in time is answered locally, and then it is left alone for a moment, so that a cache
 * that hangs costs one caller a second its patience, and not everyone all the time.
 */
export interface CacheLink {
  redis: Redis;
  /** What `shared` finds on Redis; `local` while it is away, or when it does not answer in time. */
  ask<Answer>(shared: () => Promise<Answer>, local: () => Promise<Answer>): Promise<Answer>;
  close(): void;
}

/** For this long after a failure nobody asks. Then one caller does, and the others follow when it was answered. */
const restMs = 1_000;
/** Without a byte for this long after a command the connection is taken for dead, and made anew. */
const silenceMs = 5_000;

export interface CacheLinkOptions {
  /** Told when the cache goes away or comes back, not for each failed command. */
  onStateChange?: ((state: 'connected' | 'lost', error: Error | null) => void) | undefined;
  /** Waiting longer for an answer than this would make the cache's outage the caller's. */
  patienceMs?: number | undefined;
}

export function openCacheLink(url: string, options: CacheLinkOptions = {}): CacheLink {
  const redis = connect(url, options);
  let failed = false;
  let restUntil = 0;
  return {
    redis,
    async ask(shared, local) {
      const now = performance.now();
      if (failed && now < restUntil) return local();
      // Until the one who asks next has its answer, the others rest on.
      if (failed) restUntil = now + restMs;
      try {
        const answer = await shared();
        failed = false;
        return answer;
      } catch {
        failed = true;
        restUntil = performance.now() + restMs;
        return local();
      }
    },
    close: () => redis.disconnect(),
  };
}

function connect(url: string, { onStateChange, patienceMs = 250 }: CacheLinkOptions): Redis {
  const redis = new Redis(url, {
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: patienceMs,
    connectTimeout: 2_000,
    // An answer that is still waited for is no silence.
    socketTimeout: Math.max(silenceMs, 2 * patienceMs),
    retryStrategy: () => 1_000,
  });
  let lost = false;
  redis.on('error', (error: Error) => {
    if (lost) return;
    lost = true;
    onStateChange?.('lost', error);
  });
  redis.on('ready', () => {
    lost = false;
    onStateChange?.('connected', null);
  });
  return redis;
}
