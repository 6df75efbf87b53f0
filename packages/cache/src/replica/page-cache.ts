import { deserialize, serialize } from 'node:v8';
import type { Kept, PageStore } from './page-store.ts';

/** What Next keeps: a whole page, a route's answer, or what one `fetch` or `unstable_cache` found. */
interface PageValue {
  kind: string;
  headers?: Record<string, unknown>;
  tags?: string[];
  revalidate?: number;
}

interface Body {
  value: PageValue | null;
  cacheControl?: { revalidate: number | false; expire?: number };
}

interface Reading {
  kind: string;
  tags?: string[];
  softTags?: string[];
  revalidate?: number | false;
}

const tagsHeader = 'x-next-cache-tags';
/** No page takes longer to make. */
const longestMakingMs = 60_000;

/** Next's cache handler (`cacheHandler` in `next.config.ts`), over a store that all replicas share. */
export function pageCacheOn(store: () => PageStore) {
  /** When the making of what is not there, or too old, began: what expired since then must not be kept as fresh. */
  const begun = new Map<string, { since: number; at: number }>();
  const begin = (key: string, since: number | null) => {
    const now = performance.now();
    for (const [first, { at }] of begun) {
      if (now - at < longestMakingMs) break;
      begun.delete(first);
    }
    if (since !== null && !begun.has(key)) begun.set(key, { since, at: now });
  };

  return class PageCache {
    async get(key: string, context: Reading) {
      const found = await store().find(key, [...(context.tags ?? []), ...(context.softTags ?? [])]);
      const body = found.state === 'absent' ? null : read(found);
      if (!body || found.state === 'absent') {
        begin(key, found.since);
        return null;
      }
      if (found.state === 'stale' || isDue(body, found.ageMs, context)) begin(key, found.since);
      return { ...body, lastModified: lastModified(found, body) };
    }

    async set(key: string, value: PageValue | null, context: { tags?: string[]; cacheControl?: Body['cacheControl'] }) {
      const since = begun.get(key)?.since;
      begun.delete(key);
      // Nobody knows when its making began: the cache was away, or another has kept what it made meanwhile.
      if (since === undefined) return;
      const { cacheControl } = context;
      const bytes = serialize({ value, ...(cacheControl && { cacheControl }) } satisfies Body);
      await store().keep(key, { value: bytes, tags: [...(context.tags ?? []), ...tagsOf(value)], since });
    }

    async revalidateTag(tags: string | string[], durations?: { expire?: number }) {
      await store().expire([tags].flat(), durations && { seconds: durations.expire });
    }

    resetRequestCache() {}
  };
}

function tagsOf(value: PageValue | null): string[] {
  const header = value?.headers?.[tagsHeader];
  return [...(value?.tags ?? []), ...(typeof header === 'string' ? header.split(',') : [])];
}

/** Written by another version of Node, or cut: as if it were not there. */
function read({ value }: Kept): Body | null {
  try {
    return deserialize(value) as Body;
  } catch {
    return null;
  }
}

function isDue({ value, cacheControl }: Body, ageMs: number, context: Reading): boolean {
  const seconds = context.revalidate || (value?.revalidate ?? cacheControl?.revalidate);
  return typeof seconds === 'number' && ageMs > seconds * 1_000;
}

/** By this replica's clock, whatever the others' say. For Next, -1 is "stale" of a page, and of data so old that any lifetime is over. */
function lastModified({ state, ageMs }: Kept, { value }: Body): number {
  if (state === 'stale') return value?.kind === 'FETCH' ? Number.NEGATIVE_INFINITY : -1;
  return performance.timeOrigin + performance.now() - ageMs;
}
