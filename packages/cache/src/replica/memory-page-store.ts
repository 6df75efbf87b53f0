import type { Found, PageStore } from './page-store.ts';

interface Entry {
  value: Buffer;
  tags: readonly string[];
  since: number;
  at: number;
}

interface Mark {
  expired: number;
  stale: number;
  until: number;
}

const maxBytes = 32 * 1024 * 1024;

/** In this process, for an installation without Redis, which has one replica. What was used least is forgotten. */
export function openMemoryPageStore(): PageStore {
  const entries = new Map<string, Entry>();
  const marks = new Map<string, Mark>();
  let bytes = 0;
  // No two moments are the same.
  let last = 0;
  const moment = () => {
    last = Math.max(performance.now(), last + 1e-4);
    return last;
  };

  const forget = (key: string) => {
    bytes -= entries.get(key)?.value.length ?? 0;
    entries.delete(key);
  };
  const stateOf = (entry: Entry, tags: readonly string[], now: number): Found['state'] => {
    let state: Found['state'] = 'fresh';
    for (const tag of [...entry.tags, ...tags]) {
      const mark = marks.get(tag);
      if (!mark) continue;
      if (entry.since < mark.expired || (entry.since < mark.stale && now >= mark.until)) return 'absent';
      if (entry.since < mark.stale) state = 'stale';
    }
    return state;
  };

  return {
    async find(key, tags) {
      const since = moment();
      const entry = entries.get(key);
      const state = entry ? stateOf(entry, tags, since) : 'absent';
      if (!entry || state === 'absent') return { since, state: 'absent' };
      entries.delete(key);
      entries.set(key, entry);
      return { since, state, value: entry.value, ageMs: since - entry.at };
    },
    async keep(key, { value, tags, since }) {
      forget(key);
      entries.set(key, { value, tags, since, at: moment() });
      bytes += value.length;
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break;
        forget(oldest);
      }
    },
    async expire(tags, lifetime) {
      const now = moment();
      for (const tag of tags) {
        const mark = marks.get(tag) ?? { expired: 0, stale: 0, until: 0 };
        if (lifetime === undefined) mark.expired = now;
        else Object.assign(mark, { stale: now, until: now + (lifetime.seconds ?? Number.POSITIVE_INFINITY) * 1_000 });
        marks.set(tag, mark);
      }
    },
  };
}
