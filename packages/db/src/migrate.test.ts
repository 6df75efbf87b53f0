import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkMigrations } from './check-migrations.ts';
import type { Database } from './client.ts';
import { migrate, readMigrations } from './migrate.ts';

let database: TestDatabase;
let db: Database;
let directory: string;

beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  db = openPatiently({ url: database.appUrl });
  directory = await mkdtemp(join(tmpdir(), 'ballast-migrations-'));
});

afterEach(async () => {
  await db.close();
  await database.drop();
  await rm(directory, { recursive: true });
});

async function migrations(files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return readMigrations([{ module: 'shop', directory }]);
}

describe('migrate', () => {
  it('waits for a lock for ten seconds at most: whoever comes after it would wait too', async () => {
    const all = await migrations({
      '0001_seen.sql': `create table seen as select current_setting('lock_timeout') as patience; grant select on seen to ballast_app;`,
    });
    await migrate(database.ownerUrl, all);
    expect(await db.sql`select patience from seen`).toEqual([{ patience: '10s' }]);
  });

  it('applies in order, once, and says which', async () => {
    const all = await migrations({
      '0002_fill.sql': 'insert into item values (1);',
      '0001_item.sql': 'create table item (id int); grant select on item to ballast_app;',
    });
    expect(await checkMigrations(db, all)).toEqual({ missing: ['shop/0001_item', 'shop/0002_fill'], ahead: [] });
    expect(await migrate(database.ownerUrl, all)).toEqual(['shop/0001_item', 'shop/0002_fill']);
    expect(await migrate(database.ownerUrl, all)).toEqual([]);
    expect(await checkMigrations(db, all)).toEqual({ missing: [], ahead: [] });
    expect(await checkMigrations(db, all.slice(0, 1))).toEqual({ missing: [], ahead: ['shop/0002_fill'] });
    expect(await db.sql`select id from item`).toEqual([{ id: 1 }]);
  });

  it('rolls a failed migration back, names it, and goes on from there', async () => {
    const broken = await migrations({
      '0001_good.sql': 'create table good (id int);',
      '0002_bad.sql': 'create table half (id int); select nonsense;',
    });
    await expect(migrate(database.ownerUrl, broken)).rejects.toThrow(
      /shop\/0002_bad failed and was rolled back: .*nonsense/,
    );
    const [half] = await db.sql`select to_regclass('half') as found`;
    expect(half).toEqual({ found: null });
    const mended = await migrations({ '0002_bad.sql': 'create table half (id int);' });
    expect(await migrate(database.ownerUrl, mended)).toEqual(['shop/0002_bad']);
  });

  it('refuses a migration that was edited after it had been applied', async () => {
    await migrate(database.ownerUrl, await migrations({ '0001_item.sql': 'create table item (id int);' }));
    const edited = await migrations({ '0001_item.sql': 'create table item (id bigint);' });
    await expect(migrate(database.ownerUrl, edited)).rejects.toThrow('shop/0001_item was edited');
  });

  it('is applied by exactly one of five replicas', async () => {
    const all = await migrations({ '0001_item.sql': 'create table item (id int); select pg_sleep(0.2);' });
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database.ownerUrl, all)));
    expect(applied.filter((names) => names.length === 1)).toHaveLength(1);
    expect(applied.flat()).toEqual(['shop/0001_item']);
  });

  it('is applied by exactly one of five replicas too when it builds an index beside running writes', async () => {
    const all = await migrations({
      '0001_item.sql': 'create table item (id int); insert into item select generate_series(1, 50000);',
      '0002_index.sql':
        '-- outside a transaction: the table is large\ncreate index concurrently if not exists item_id on item (id);',
    });
    let waited = 0;
    const onWait = () => {
      waited += 1;
    };
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database.ownerUrl, all, { onWait })));
    expect(applied.flat()).toEqual(['shop/0001_item', 'shop/0002_index']);
    expect(waited).toBeGreaterThan(0);
  });

  it('waits for another for so long, and then says for whom', async () => {
    const all = await migrations({ '0001_item.sql': 'create table item (id int);' });
    const other = openPatiently({ url: database.ownerUrl, maxConnections: 1 });
    await other.sql`select pg_advisory_lock(${0x42616c6c})`;
    await expect(migrate(database.ownerUrl, all, { patienceMs: 300 })).rejects.toThrow(
      /Another process has been migrating this database/,
    );
    await other.close();
    expect(await migrate(database.ownerUrl, all)).toEqual(['shop/0001_item']);
  });

  it('builds an index beside running writes, outside a transaction, and leaves no half of one', async () => {
    const files = {
      '0001_item.sql': 'create table item (id int); insert into item values (1), (1);',
      '0002_index.sql':
        '-- outside a transaction: the table is large\ncreate unique index concurrently if not exists item_id on item (id);',
    };
    await expect(migrate(database.ownerUrl, await migrations(files))).rejects.toThrow(
      /shop\/0002_index failed outside a transaction, .*: could not create unique index/,
    );
    const owner = openPatiently({ url: database.ownerUrl });
    try {
      const indexes = () =>
        owner.sql`select relname, indisvalid from pg_index join pg_class on oid = indexrelid where relname = 'item_id'`;
      expect(await indexes()).toEqual([]);
      // As a process leaves it that was killed while it built.
      await owner.sql`create unique index concurrently item_id on item (id)`.catch(() => {});
      expect(await indexes()).toEqual([{ relname: 'item_id', indisvalid: false }]);
      await owner.sql`delete from item`;
      expect(await migrate(database.ownerUrl, await migrations(files))).toEqual(['shop/0002_index']);
      expect(await indexes()).toEqual([{ relname: 'item_id', indisvalid: true }]);
    } finally {
      await owner.close();
    }
  });

  it('reads a module without migrations as none', async () => {
    expect(await readMigrations([{ module: 'none', directory: join(directory, 'absent') }])).toEqual([]);
  });
});
