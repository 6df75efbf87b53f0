/** What is full: disks, where this machine lets a test have one of its own, and servers' connections. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareRoles } from '@ballast/db/roles';
import { databaseUrl, onServer, testPassword } from '@ballast/test-kit/database';
import { startPostgres } from '@ballast/test-kit/embedded-postgres';
import { openPatiently } from '@ballast/test-kit/pools';
import { hasRedis, startRedis } from '@ballast/test-kit/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openWard, type Ward } from './testing/ward.ts';

/** A file system of some kilobytes, or null where only a container's root could mount one. */
function mountSmall(kilobytes: number): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-small-'));
  chmodSync(folder, 0o755);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=0755`, 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true });
}

const small = mountSmall(256);

describe.runIf(hasRedis())('doctor, of what is full', () => {
  let ward: Ward;
  beforeAll(async () => {
    ward = await openWard();
    await ward.live();
  });
  afterAll(async () => {
    await ward.close();
    if (small) unmount(small);
  });

  if (small) {
    it('a disk of this machine', async () => {
      const folder = join(small, 'data');
      mkdirSync(folder);
      expect(await ward.codes({ folders: [folder] })).toEqual([]);
      writeFileSync(join(folder, 'filler'), Buffer.alloc(250 * 1024));
      expect(await ward.find({ folders: [folder] })).toMatchObject([
        { code: 'disk.filling', severity: 'warning', symptom: 'writes are answered with 503' },
      ]);
      rmSync(folder, { recursive: true });
    });

    it('the disk of Postgres (row 24), here that of its temporary files', async () => {
      const place = join(small, 'tablespace');
      mkdirSync(place);
      writeFileSync(join(small, 'filler'), Buffer.alloc(220 * 1024));
      const server = databaseUrl(ward.database.adminUrl, 'postgres');
      const name = ward.database.name;
      await onServer(server, async (admin) => {
        const [data] = await admin<{ directory: string }[]>`select current_setting('data_directory') as directory`;
        const { uid, gid } = statSync(data?.directory ?? '');
        chownSync(place, uid, gid);
        await admin.unsafe(`create tablespace ${name}_small location '${place}'`);
        await admin.unsafe(`grant create on tablespace ${name}_small to ballast_app`);
        await admin.unsafe(`alter database ${name} set temp_tablespaces = ${name}_small`);
      });
      try {
        expect(await ward.find()).toMatchObject([
          { code: 'database.disk_full', evidence: [expect.stringContaining('No space left on device')] },
        ]);
      } finally {
        await onServer(server, async (admin) => {
          await admin.unsafe(`alter database ${name} reset temp_tablespaces`);
          await admin.unsafe(`drop tablespace ${name}_small`);
        });
        rmSync(join(small, 'filler'));
      }
    });
  }

  it('Postgres’ connections: hardly one left, and none', async () => {
    const server = await startPostgres(['max_connections=20']);
    const passwords = { owner: testPassword, app: testPassword, dispatcher: testPassword, backup: testPassword };
    await onServer(server.adminUrl, (admin) => prepareRoles(admin, passwords));
    const url = databaseUrl(server.adminUrl, 'postgres', 'ballast_app');
    const crowd = openPatiently({ url, applicationName: 'crowd', maxConnections: 30 });
    const take = (count: number) =>
      Array.from({ length: count }, () => crowd.sql`select pg_sleep(600)`.catch(() => {}));
    try {
      take(14);
      await vi.waitFor(
        async () => expect(await ward.codes({ databaseUrl: url })).toContain('database.connections_low'),
        { timeout: 60_000, interval: 200 },
      );
      await vi.waitFor(
        async () => {
          // Doctor lets go of two each time that it looks.
          take(2);
          expect((await ward.find({ databaseUrl: url }))[0]).toMatchObject({
            code: 'database.full',
            symptom: 'API 503 on /health',
          });
        },
        { timeout: 60_000, interval: 200 },
      );
    } finally {
      await crowd.sql.end({ timeout: 0 });
      await server.stop();
    }
  });

  it('nothing, but a Redis that still reads its files', async () => {
    const redis = await startRedis(['--key-load-delay', '200']);
    const client = new Redis(redis.url);
    // It looks up from its file every thousand commands, some four times a second, and has read it all after twenty or more.
    const pipeline = client.pipeline();
    for (let n = 0; n < 80_000; n++) pipeline.set(`some:${n}`, n);
    await pipeline.exec();
    client.disconnect();
    await redis.restart(0);
    const found = await ward.find({ cacheUrl: redis.url, queueUrl: redis.url });
    const words = { severity: 'warning', fix: 'Wait: it goes on by itself.' };
    expect(found).toContainEqual(expect.objectContaining({ code: 'cache.loading', ...words }));
    expect(found).toContainEqual(expect.objectContaining({ code: 'queue.loading', ...words }));
    await redis.stop();
  });
});
