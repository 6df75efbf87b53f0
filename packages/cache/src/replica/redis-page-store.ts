import type { CacheLink } from '../cache-link.ts';
import * as scripts from './page-scripts.ts';
import { absent, type Found, type PageStore } from './page-store.ts';

/** In every entry, so that one mark ends them all. */
const all = '*';
const tagPrefix = 'ballast:web:tag:';
const weekSeconds = 7 * 24 * 60 * 60;
const mostUntold = 1_000;

type Lifetime = Parameters<PageStore['expire']>[1];

/**
 * On redis-cache, shared by all replicas of a build; tags are shared by all builds. While Redis is away nothing is
 * found, so that pages are made anew, and tags that expire are kept here and told before anything is read again.
 *
 * @example
 * const store = openRedisPageStore(openCacheLink('redis://127.0.0.1:6379'), 'a1b2c3');
 * const found = await store.find('/prices', ['prices']);
 */
export function openRedisPageStore(
  link: CacheLink,
  build: string,
): PageStore & { untold(): number; tell(): Promise<void> } {
  const untold = new Map<string, Lifetime>();
  const entryKey = (key: string) => `ballast:web:page:${build}:${key}`;
  // ioredis has it, and its types do not.
  const redis = link.redis as unknown as {
    evalBuffer(script: string, keyCount: number, ...rest: (string | Buffer)[]): Promise<Buffer[] | null>;
  };
  const run = (script: string, keys: readonly string[], args: readonly (string | Buffer)[]) =>
    redis.evalBuffer(script, keys.length, ...keys, ...args);

  const mark = (tags: readonly string[], lifetime: Lifetime) =>
    run(scripts.expire, [], [tagPrefix, lifetime ? String(lifetime.seconds ?? '') : 'gone', ...tags]);

  /** What could not be told is told first: what is read before that could be too old. */
  async function tellFirst(): Promise<void> {
    for (const [tag, lifetime] of [...untold]) {
      await mark([tag], lifetime);
      if (untold.get(tag) === lifetime) untold.delete(tag);
    }
  }

  function remember(tags: readonly string[], lifetime: Lifetime): void {
    for (const tag of tags) if (lifetime === undefined || !untold.has(tag)) untold.set(tag, lifetime);
    if (untold.size <= mostUntold) return;
    untold.clear();
    untold.set(all, undefined);
  }

  return {
    untold: () => untold.size,
    tell: () => link.ask(tellFirst, async () => {}),
    find: (key, tags) =>
      link.ask<Found>(
        async () => {
          await tellFirst();
          return read(await run(scripts.find, [entryKey(key)], [tagPrefix, all, ...tags]));
        },
        async () => absent,
      ),
    keep: (key, { value, tags, since }) =>
      link.ask(
        async () => {
          await tellFirst();
          const rest = [String(since), JSON.stringify([...new Set(tags)]), value, `${weekSeconds}`];
          await run(scripts.keep, [entryKey(key)], [tagPrefix, ...rest]);
        },
        async () => {},
      ),
    expire: (tags, lifetime) =>
      link.ask(
        async () => {
          await tellFirst();
          await mark(tags, lifetime);
        },
        async () => remember(tags, lifetime),
      ),
  };
}

function read(answer: Buffer[] | null): Found {
  const [since, state, age, value] = answer ?? [];
  if (!since || !state) return absent;
  if (!age || !value) return { since: Number(since), state: 'absent' };
  return {
    since: Number(since),
    state: String(state) === 'stale' ? 'stale' : 'fresh',
    value,
    ageMs: Number(age) / 1000,
  };
}
