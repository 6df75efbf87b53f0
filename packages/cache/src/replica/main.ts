/**
 * What one of several replicas of the web app needs to be like the others. `apps/web/build.mjs` bundles this into
 * the built app, where Next loads its default as `cacheHandler`, and `serve.mjs` opens it before the first request. That has no packages
 * beside it, so what it shares with the API comes from here too: how settings are read, whose request it is, and how long a connection may be silent.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCacheLink } from '../cache-link.ts';
import { keepPublished } from './keep-published.ts';
import { openMemoryPageStore } from './memory-page-store.ts';
import { pageCacheOn } from './page-cache.ts';
import type { PageStore } from './page-store.ts';
import { openRedisPageStore } from './redis-page-store.ts';
import { listFiles, shareFiles } from './shared-files.ts';
import { given } from './web-settings.ts';

export { clientAddress } from '../client-address.ts';
export { keepSilent } from '../silent-connections.ts';
export { readWebSettings, type WebSettings } from './web-settings.ts';

const actionsKey = 'NEXT_SERVER_ACTIONS_ENCRYPTION_KEY';
/** A replica that starts while the cache is slow is better than one that waits for it. */
const publishWithinMs = 5_000;

// Next may load this file a second time, by another address.
const place = Symbol.for('ballast.web.pages');
const shared = globalThis as { [place]?: PageStore };

export default pageCacheOn(() => {
  shared[place] ??= openMemoryPageStore();
  return shared[place];
});

export interface Replica {
  /** Resolves to true when it has answered. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
}

/** Reads the secrets and opens the cache, which need not be there. `built` is the folder of `server.js`. */
export async function openReplica(built: string): Promise<Replica> {
  process.env[actionsKey] = actionsKeyOf(given(actionsKey));
  const url = given('REDIS_URL');
  if (url === null) return { answer: async () => false };
  const build = readFileSync(join(built, '.next/BUILD_ID'), 'utf8').trim();
  const own = await listFiles(join(built, '.next/static'));
  // Nothing is waited for between here and the listeners: it may answer at once.
  const link = openCacheLink(url, { onStateChange: say });
  const store = openRedisPageStore(link, build);
  const files = shareFiles(link, own);
  shared[place] = store;
  setInterval(() => store.untold() > 0 && void store.tell(), 1_000).unref();
  await Promise.race([keepPublished(link, files.publish), sleep(publishWithinMs)]);
  return { answer: files.answer };
}

/** The build's own key is no secret: everyone who has the image has it. */
function actionsKeyOf(value: string | null): string {
  if (value === null) return randomBytes(32).toString('base64');
  if (Buffer.from(value, 'base64').length === 32) return value;
  throw new Error(`${actionsKey} must be 32 bytes in base64.`);
}

function say(state: 'connected' | 'lost', error: Error | null): void {
  const msg = state === 'connected' ? 'The cache answers.' : 'The cache is away: pages are made anew for each request.';
  const cause = error && { cause: error.message };
  console.error(JSON.stringify({ level: state === 'connected' ? 'info' : 'warn', msg, ...cause }));
}
