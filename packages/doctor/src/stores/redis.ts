import { openRedis as connect } from '@ballast/jobs/redis-address';
import type { Redis } from 'ioredis';
import { within } from '../deadline.ts';
import { Away } from './away.ts';

/** A machine that is very busy answers late, and is not away. */
const connectMs = 5_000;

/** One connection, that neither waits nor tries again. */
export function openRedis(url: string, store: Away['store']): { seen: () => Promise<Redis>; close: () => void } {
  const redis = connect(url, {
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: connectMs,
    commandTimeout: connectMs,
  });
  let said: Error | null = null;
  redis.on('error', (error: Error) => {
    said ??= error;
  });
  let first: Promise<Redis> | null = null;
  const look = async () => {
    try {
      // Connecting alone proves a port; an answer proves a Redis. One that still loads or refuses us answers too.
      await within(
        connectMs,
        redis.connect().then(() => redis.ping()),
      );
      // A logical database that is not there: the client says so beside, and goes on in the first one.
      if (said) throw said;
      return redis;
    } catch (error) {
      const reason = said ?? (error as Error);
      throw new Away(store, codeOf(reason), reason.message);
    }
  };
  return { seen: () => (first ??= look()), close: () => redis.disconnect() };
}

/** Redis begins its refusals with a word in capitals; the system gives its own. */
export function codeOf(error: Error): string {
  const { code } = error as { code?: string };
  if (code && /^E[A-Z_]+$|^LATE$/.test(code)) return code;
  return /^([A-Z]{3,})\b/.exec(error.message)?.[1] ?? code ?? '';
}
