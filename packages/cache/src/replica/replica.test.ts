import { hasRedis, startRedis, type TestRedis } from '@ballast/test-kit/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CacheLink, openCacheLink } from '../cache-link.ts';
import { openMemoryPageStore } from './memory-page-store.ts';
import { pageCacheOn } from './page-cache.ts';
import type { PageStore } from './page-store.ts';
import { openRedisPageStore } from './redis-page-store.ts';

let redis: TestRedis;
let links: CacheLink[];

if (hasRedis()) {
  beforeAll(async () => {
    redis = await startRedis(['--appendonly', 'no']);
    // What the link answers while Redis is late is for tests of the link.
    links = [1, 2].map(() => openCacheLink(redis.url, { patienceMs: 10_000 }));
    await Promise.all(links.map(({ redis }) => new Promise((ready) => redis.once('ready', ready))));
  });
  afterAll(async () => {
    for (const link of links) link.close();
    await redis.stop();
  });
}

const page = { kind: 'FETCH', tags: ['prices'], revalidate: 3600 };
const reading = { kind: 'FETCH', tags: ['prices'], softTags: ['_N_T_/shop'] };
let builds = 0;

/** Two replicas of one build, or one process twice. */
function replicas(kind: string): [PageStore, PageStore] {
  if (kind === 'memory') {
    const store = openMemoryPageStore();
    return [store, store];
  }
  const build = `build-${++builds}`;
  const [one, two] = links.map((link) => openRedisPageStore(link, build));
  if (!one || !two) throw new Error('no links');
  return [one, two];
}

const caches = (kind: string) => {
  const [one, two] = replicas(kind).map((store) => new (pageCacheOn(() => store))());
  if (!one || !two) throw new Error('no caches');
  return [one, two] as const;
};
type Cache = ReturnType<typeof caches>[number];
/** As Next does: looks, and makes what is not there. */
async function serve(cache: Cache, make: string, key = 'k'): Promise<string> {
  const found = await cache.get(key, reading);
  if (found) return (found.value as typeof page & { made: string }).made;
  await cache.set(key, { ...page, made: make } as never, { tags: ['prices'] });
  return make;
}

describe.each(['memory', ...(hasRedis() ? ['redis'] : [])])('pages kept in %s', (kind) => {
  it('are shared, until a tag of theirs or of their reader expires anywhere', async () => {
    const [one, two] = caches(kind);
    expect(await serve(one, 'first')).toBe('first');
    expect(await serve(two, 'second')).toBe('first');
    await two.revalidateTag('prices');
    expect(await serve(one, 'third')).toBe('third');
    await one.revalidateTag(['_N_T_/shop']);
    expect(await serve(two, 'fourth')).toBe('fourth');
    await two.revalidateTag('other');
    expect(await serve(one, 'fifth')).toBe('fourth');
  });

  it('do not count when a tag expired while they were made', async () => {
    const [one, two] = caches(kind);
    expect(await one.get('slow', reading)).toBeNull();
    await two.revalidateTag('prices');
    await one.set('slow', page, { tags: ['prices'] });
    expect(await two.get('slow', reading)).toBeNull();
  });

  it('are not kept when nobody knows when their making began', async () => {
    const [one] = caches(kind);
    await one.set('unread', page, { tags: ['prices'] });
    expect(await one.get('unread', reading)).toBeNull();
  });

  it('are stale for as long as it was said, and then gone', async () => {
    const [one, two] = caches(kind);
    await serve(one, 'first');
    await two.revalidateTag('prices', { expire: 60 });
    expect(await one.get('k', reading)).toMatchObject({ lastModified: Number.NEGATIVE_INFINITY });
    await two.revalidateTag('prices', { expire: 1 });
    await expect.poll(() => one.get('k', reading)).toBeNull();
  });

  it('come back as they were, bytes and maps too', async () => {
    const [one, two] = caches(kind);
    const value = {
      kind: 'APP_PAGE',
      html: '<p>£</p>',
      rscData: Buffer.from([0, 255, 10]),
      segmentData: new Map([['/_tree', Buffer.from('x')]]),
      headers: { 'x-next-cache-tags': 'a,b' },
      postponed: undefined,
    };
    const context = { kind: 'APP_PAGE' };
    const cacheControl = { revalidate: 60, expire: 120 };
    const now = () => performance.timeOrigin + performance.now();
    const before = now();
    // The tags of a page are known when it is made: what was begun before they were does not count.
    for (let n = 0; n < 2; n++) {
      await one.get('page', context);
      await one.set('page', value, { cacheControl });
    }
    const found = await two.get('page', context);
    expect(found?.value).toEqual(value);
    expect(found?.cacheControl).toEqual(cacheControl);
    expect(found?.lastModified).toBeGreaterThanOrEqual(before);
    expect(found?.lastModified).toBeLessThanOrEqual(now());
    await one.revalidateTag('b');
    expect(await two.get('page', context)).toBeNull();
  });
});

if (hasRedis()) {
  it('a tag that Redis dropped takes its entries with it', async () => {
    const [one] = caches('redis');
    await serve(one, 'first');
    await links[0]?.redis.del('ballast:web:tag:prices');
    expect(await serve(one, 'second')).toBe('second');
    expect(await serve(one, 'third')).toBe('second');
  });

  it('a build finds nothing of another, and expires it all the same', async () => {
    const [former] = caches('redis');
    const [next] = caches('redis');
    await serve(former, 'former');
    expect(await serve(next, 'next')).toBe('next');
    await next.revalidateTag('prices');
    expect(await serve(former, 'again')).toBe('again');
  });

  it.each([
    ['what', ['prices']],
    ['more than is remembered of what', Array.from({ length: 1_001 }, (_, n) => `tag-${n}`)],
  ])('%s expires while Redis is away is told before anything is read again', async (_case, tags) => {
    const build = `build-${++builds}`;
    const [near, cut] = links.map((link) => openRedisPageStore(link, build));
    const one = new (pageCacheOn(() => near as PageStore))();
    await serve(one, 'first');
    links[1]?.redis.disconnect();
    await expect.poll(() => links[1]?.redis.status).toBe('end');
    await cut?.expire(tags);
    expect(cut?.untold()).toBe(tags.length > 1_000 ? 1 : tags.length);
    expect(await serve(one, 'second')).toBe('first');
    // It may be refused by its own time limit, and then tries again by itself.
    await links[1]?.redis.connect().catch(() => {});
    await expect.poll(async () => (await cut?.find('k', [])) && cut?.untold()).toBe(0);
    expect(await serve(one, 'third')).toBe('third');
  });
}
