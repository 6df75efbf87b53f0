import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasRedis, startRedis, type TestRedis } from '@ballast/test-kit/redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CacheLink, openCacheLink } from '../cache-link.ts';
import { keepPublished } from './keep-published.ts';
import { listFiles, shareFiles } from './shared-files.ts';

if (hasRedis()) {
  let redis: TestRedis;
  let link: CacheLink;
  let folder: string;
  beforeAll(async () => {
    redis = await startRedis(['--appendonly', 'no']);
    folder = mkdtempSync(join(tmpdir(), 'ballast-published-'));
    for (const name of ['a.js', 'b.js', 'c.css']) writeFileSync(join(folder, name), name);
    link = openCacheLink(redis.url, { patienceMs: 1_000 });
    await new Promise((ready) => link.redis.once('ready', ready));
  });
  afterAll(async () => {
    link.close();
    await redis.stop();
    rmSync(folder, { recursive: true });
  });

  const there = () =>
    link.redis.keys('ballast:web:file:*').then(
      (keys) => keys.length,
      () => null,
    );

  it('what the cache answered too late is published all the same', async () => {
    const { publish } = shareFiles(link, await listFiles(folder));
    const failed: unknown[] = [];
    const published = keepPublished(link, async () => {
      // As a machine that stands still for longer than the cache is waited for.
      if (failed.length === 0) process.kill(redis.pid(), 'SIGSTOP');
      try {
        await publish();
      } catch (error) {
        failed.push(error);
        throw error;
      } finally {
        process.kill(redis.pid(), 'SIGCONT');
      }
    });
    await published;
    expect(failed.length).toBeGreaterThan(0);
    await expect.poll(there).toBe(3);
  });

  it('a cache that has forgotten everything is told when it is back', async () => {
    await redis.restart(0);
    await expect.poll(there, { timeout: 60_000 }).toBe(3);
  });
}
