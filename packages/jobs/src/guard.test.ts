import { hasRedis, startRedis, type TestRedis } from '@ballast/test-kit/redis';
import { afterEach, describe, expect, it } from 'vitest';
import { inspectStores, refusalSentence } from './guard.ts';

describe.runIf(hasRedis())('the guard of the queue’s Redis', () => {
  const servers: TestRedis[] = [];
  const start = async (...flags: string[]) => {
    const server = await startRedis(flags);
    servers.push(server);
    return server.url;
  };

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  it('is content with noeviction and an append-only file beside a cache that evicts', async () => {
    const [queueUrl, cacheUrl] = [await start(), await start('--maxmemory-policy', 'allkeys-lru')];
    expect(await inspectStores({ queueUrl, cacheUrl })).toEqual({ refusals: [], warnings: [] });
  });

  it('refuses a queue that evicts (row 14)', async () => {
    const queueUrl = await start('--maxmemory-policy', 'allkeys-lru');
    expect((await inspectStores({ queueUrl, cacheUrl: null })).refusals).toEqual([
      expect.objectContaining({ code: 'queue.evicts', cause: expect.stringContaining('allkeys-lru') }),
    ]);
  });

  it('knows exchanged URLs (row 18)', async () => {
    const [queueUrl, cacheUrl] = [await start('--maxmemory-policy', 'volatile-lru'), await start()];
    expect((await inspectStores({ queueUrl, cacheUrl })).refusals).toEqual([
      expect.objectContaining({ code: 'stores.exchanged', fix: expect.stringContaining('swap them') }),
    ]);
  });

  it('refuses one evicting Redis for both (row 18), also by logical database', async () => {
    const url = await start('--maxmemory-policy', 'allkeys-lru');
    const { refusals } = await inspectStores({ queueUrl: `${url}/1`, cacheUrl: `${url}/0` });
    expect(refusals.map(refusalSentence)).toEqual([
      expect.stringMatching(
        /^Jobs silently disappear: .*are one Redis, and it evicts.*Give the queue a server of its own/,
      ),
    ]);
  });

  it('warns of one Redis for both, and of a queue without an append-only file', async () => {
    const url = await start('--appendonly', 'no');
    const { refusals, warnings } = await inspectStores({ queueUrl: url, cacheUrl: url });
    expect(refusals).toEqual([]);
    expect(warnings.map(({ code }) => code)).toEqual(['stores.one', 'queue.no_aof']);
  });

  it('rejects when the queue does not answer, and does without the cache', async () => {
    await expect(inspectStores({ queueUrl: 'redis://127.0.0.1:1', cacheUrl: null })).rejects.toThrow();
    const queueUrl = await start();
    const found = await inspectStores({ queueUrl, cacheUrl: 'redis://127.0.0.1:1' });
    expect(found.refusals).toEqual([]);
  });
});
