import type { CacheLink } from '../cache-link.ts';

/** A cache that dropped the files is found out after this long; they are kept there for a week. */
const everyMs = 10 * 60_000;
const againAfterMs = 1_000;

/**
 * Publishes when the cache is there, and each time that it is there again, since it may have forgotten everything
 * meanwhile. What fails is done again a second later: a cache that once answered too late has lost no connection, and
 * nobody else would tell. Resolves when everything is published for the first time.
 */
export async function keepPublished({ redis }: CacheLink, publish: () => Promise<void>): Promise<void> {
  const { promise: published, resolve } = Promise.withResolvers<void>();
  let due = redis.status === 'ready';
  let busy = false;
  const look = async () => {
    if (!due || busy) return;
    [due, busy] = [false, true];
    await publish().then(resolve, () => {
      due = true;
    });
    busy = false;
  };
  const oblige = () => {
    due = true;
    void look();
  };
  redis.on('ready', oblige);
  setInterval(oblige, everyMs).unref();
  setInterval(look, againAfterMs).unref();
  void look();
  await published;
}
