import { type AddressInfo, connect, createServer } from 'node:net';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase, sqlOf, type Tx } from './client.ts';
import { openPools } from './pools.ts';
import { currentTransaction, onCommit, readScope, withScope, withTenant, withUser } from './transaction.ts';

const [one, other] = ['018f0000-0000-7000-8000-000000000001', '018f0000-0000-7000-8000-000000000002'] as const;

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openPatiently({ url: database.appUrl, maxConnections: 2 });
  const owner = openPatiently({ url: database.ownerUrl });
  for (const statement of [
    'create table note (organization_id uuid not null, text text not null)',
    'alter table note enable row level security',
    `create policy tenant on note to ballast_app using (organization_id = ballast.tenant_id())`,
    'grant select, insert, update on note to ballast_app',
    // A migration of tenants' data: the owner sees every row, without a scope.
    `insert into note values ('${one}', 'mine'), ('${other}', 'theirs')`,
    `update note set text = text || '!'`,
  ]) {
    await owner.sql.unsafe(statement);
  }
  await owner.close();
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

const texts = async (rows: Promise<Iterable<{ text: string }>>) => [...(await rows)].map((row) => row.text);

/** The way to the server, past whoever looks at what is sent, or changes it. */
async function through(pass: (packet: string) => string): Promise<[url: string, close: () => void]> {
  const { hostname, port } = new URL(database.appUrl);
  const between = createServer((client) => {
    const server = connect(Number(port), hostname);
    client.on('data', (data) => server.write(Buffer.from(pass(data.toString('latin1')), 'latin1')));
    server.pipe(client);
    for (const [end, far] of [
      [client, server],
      [server, client],
    ] as const) {
      end.on('close', () => far.destroy()).on('error', () => {});
    }
  });
  await new Promise<void>((resolve) => void between.listen(0, '127.0.0.1', resolve));
  const url = new URL(database.appUrl);
  url.host = `127.0.0.1:${(between.address() as AddressInfo).port}`;
  return [url.href, () => between.close()];
}

describe('withTenant', () => {
  it('shows one organisation’s rows, also with the where left out, and none without a scope', async () => {
    const select = (tenant: string) =>
      withTenant(db, tenant, (tx) => texts(sqlOf(tx)<{ text: string }[]>`select text from note`));
    expect(await select(one)).toEqual(['mine!']);
    expect(await select(other)).toEqual(['theirs!']);
    expect(await texts(db.sql<{ text: string }[]>`select text from note`)).toEqual([]);
  });

  it('refuses to write another organisation’s row', async () => {
    const insert = withTenant(db, one, (tx) => sqlOf(tx)`insert into note values (${other}, 'planted')`);
    await expect(insert).rejects.toThrow(/row-level security/);
  });

  it('ends the scope with the transaction, on every connection of the pool', async () => {
    await Promise.all([1, 2, 3, 4].map(() => withTenant(db, one, (tx) => sqlOf(tx)`select pg_sleep(0.01)`)));
    const scopes = await Promise.all([1, 2].map(() => db.sql`select ballast.tenant_id() as tenant`));
    expect(scopes.flat()).toEqual([{ tenant: null }, { tenant: null }]);
  });

  it('keeps scopes apart that run at the same time', async () => {
    const seen = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const tenant = index % 2 === 0 ? one : other;
        return withTenant(db, tenant, async (tx) => {
          const [row] = await sqlOf(tx)<{ tenant: string }[]>`select ballast.tenant_id() as tenant`;
          return row?.tenant === tenant;
        });
      }),
    );
    expect(seen.every(Boolean)).toBe(true);
  });

  it('refuses a tenant that is no uuid, before any row is read', async () => {
    await expect(withTenant(db, "'; drop table note", (tx) => sqlOf(tx)`select * from note`)).rejects.toThrow(/uuid/);
  });
});

describe('withUser', () => {
  it('scopes to the person and to no organisation', async () => {
    const [row] = await withUser(
      db,
      one,
      (tx) => sqlOf(tx)`select ballast.user_id() as person, ballast.tenant_id() as tenant`,
    );
    expect(row).toEqual({ person: one, tenant: null });
  });
});

describe('readScope', () => {
  const read = <Result>(work: (tx: Tx) => Promise<Result>) => readScope(db, { tenantId: one }, work);

  it('shows one organisation’s rows, on any connection, beside transactions that write', async () => {
    const seen = await Promise.all(
      Array.from({ length: 40 }, (_, index) => {
        const scope = { tenantId: index % 2 === 0 ? one : other };
        const select = (tx: Tx) => texts(sqlOf(tx)<{ text: string }[]>`select text from note`);
        return index % 3 === 0 ? withScope(db, scope, select) : readScope(db, scope, select);
      }),
    );
    expect(seen).toEqual(seen.map((_, index) => [index % 2 === 0 ? 'mine!' : 'theirs!']));
    const scopes = await Promise.all([1, 2].map(() => db.sql`select ballast.tenant_id() as tenant`));
    expect(scopes.flat()).toEqual([{ tenant: null }, { tenant: null }]);
  });

  it('is one transaction, in which nothing can be written', async () => {
    const [first, second] = await read(async (tx) => {
      const now = () => sqlOf(tx)`select now()::text as now, pg_current_xact_id_if_assigned() as id`;
      return [await now(), await now()];
    });
    expect(first).toEqual(second);
    expect(first).toMatchObject([{ id: null }]);
    const written = read((tx) => sqlOf(tx)`insert into note values (${one}, 'planted')`);
    await expect(written).rejects.toThrow('read-only transaction');
    expect(await read((tx) => texts(sqlOf(tx)<{ text: string }[]>`select text from note`))).toEqual(['mine!']);
  });

  it('fails with its work, also when the work hides it, and leaves its connections well', async () => {
    await expect(read((tx) => sqlOf(tx)`select 1 / 0`)).rejects.toThrow('division by zero');
    await expect(read((tx) => sqlOf(tx)`select 1 / 0`.catch(() => 'hidden'))).rejects.toThrow('division by zero');
    await expect(read(() => Promise.reject(new Error('of our own')))).rejects.toThrow('of our own');
    await expect(readScope(db, { tenantId: 'x' }, (tx) => sqlOf(tx)`select * from note`)).rejects.toThrow(/uuid/);
    expect(await Promise.all([1, 2, 3, 4].map(() => read(() => Promise.resolve('well'))))).toEqual(
      Array(4).fill('well'),
    );
  });

  it('travels as one packet, its end included, when its one query is handed back unsent', async () => {
    const packets: string[] = [];
    const [url, close] = await through((packet) => {
      packets.push(packet);
      return packet;
    });
    const counted = openPatiently({ url, applicationName: 'counted', maxConnections: 1 });
    const select = () =>
      readScope(counted, { tenantId: one }, (tx) => texts(tx.execute('select text from note') as never));
    const handed = () => readScope(counted, { tenantId: one }, (tx) => tx.execute('select text from note'));
    // Each statement is prepared on its first use, which takes more.
    await Promise.all([select(), handed()]);
    const idle = () => expect.poll(() => openPools().get('counted')?.used).toBe(0);
    for (const [ask, each] of [
      [select, 2],
      [handed, 1],
    ] as const) {
      await idle();
      packets.length = 0;
      for (let turn = 0; turn < 3; turn++) expect(JSON.stringify(await ask())).toContain('mine!');
      await idle();
      expect(packets).toHaveLength(3 * each);
    }
    await counted.close();
    close();
  });

  it('fails with a query that was handed back unsent, and refuses one that comes after it', async () => {
    await expect(read((tx) => tx.execute('select 1 / 0'))).rejects.toThrow();
    // The query waits until the late one was refused.
    const holder = openPatiently({ url: database.appUrl, maxConnections: 1 });
    await holder.sql`select pg_advisory_lock(7)`;
    const late = Promise.withResolvers<unknown>();
    const seen = read((tx) => {
      setTimeout(() => sqlOf(tx)`select 2`.then(late.resolve, late.reject), 50);
      return tx.execute('select pg_advisory_xact_lock(7)');
    });
    const ended = { code: 'TRANSACTION_ENDED' };
    await Promise.all([
      expect(seen).rejects.toMatchObject(ended),
      expect(late.promise)
        .rejects.toMatchObject(ended)
        .then(() => holder.sql`select pg_advisory_unlock(7)`),
    ]);
    await holder.close();
    for (let turn = 0; turn < 4; turn++) {
      expect(await read((tx) => tx.execute('select ballast.tenant_id() as tenant'))).toEqual([{ tenant: one }]);
    }
  });

  it('fails as a whole when its begin does, although more was sent behind it', async () => {
    // A begin that the server cannot understand.
    const [url, close] = await through((packet) => packet.replace('begin read only', 'begin read onlz'));
    const garbled = openDatabase({ url, applicationName: 'garbled', maxConnections: 1 });
    const late: unknown[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const read = readScope(garbled, { tenantId: one }, async (tx) => {
        const seen = await texts(sqlOf(tx)<{ text: string }[]>`select text from note`).catch(() => []);
        late.push(seen, await sqlOf(tx)`select 1`.catch(({ code }) => code));
      });
      await expect(read).rejects.toMatchObject({ code: '42601' });
      expect(
        await withTenant(garbled, one, (tx) => texts(sqlOf(tx)<{ text: string }[]>`select text from note`)),
      ).toEqual(['mine!']);
    }
    // Outside its transaction there is no scope, and without one there are no rows.
    expect(late).toEqual([[], '42601', [], '42601', [], '42601']);
    await garbled.close();
    close();
  });
});

describe('a transaction that Postgres sacrifices', () => {
  it('runs again: two that deadlock both commit', async () => {
    const tries = [0, 0];
    const holders = new Set<number>();
    const met = Promise.withResolvers<void>();
    const cross = (index: 0 | 1, tenants: readonly string[]) =>
      withScope(db, {}, async (tx) => {
        const first = tries[index] === 0;
        tries[index] = (tries[index] ?? 0) + 1;
        const take = (id: string | undefined) => sqlOf(tx)`select pg_advisory_xact_lock(hashtext(${id ?? ''}))`;
        await take(tenants[0]);
        // Each holds its own lock before either asks for the other's.
        if (holders.add(index).size === 2) met.resolve();
        if (first) await met.promise;
        await take(tenants[1]);
        return index;
      });
    expect(await Promise.all([cross(0, [one, other]), cross(1, [other, one])])).toEqual([0, 1]);
    expect(tries.reduce((sum, count) => sum + count)).toBe(3);
  });

  it('is given up after five tries, with what Postgres said, and announces nothing', async () => {
    let tries = 0;
    const said: string[] = [];
    const always = withScope(db, {}, async (tx) => {
      tries += 1;
      onCommit(() => said.push('committed'));
      await tx.execute(`do $$ begin raise exception 'again' using errcode = '40001'; end $$`);
    });
    await expect(always).rejects.toMatchObject({ cause: { code: '40001' } });
    expect(tries).toBe(5);
    expect(said).toEqual([]);
  });

  it('is not repeated for any other error', async () => {
    let tries = 0;
    const wrong = withScope(db, {}, async (tx) => {
      tries += 1;
      await sqlOf(tx)`select 1 / 0`;
    });
    await expect(wrong).rejects.toThrow('division by zero');
    expect(tries).toBe(1);
  });
});

describe('onCommit', () => {
  it('runs after the commit, and not after a rollback', async () => {
    const said: string[] = [];
    await withScope(db, {}, async () => {
      onCommit(() => said.push('committed'));
      expect(said).toEqual([]);
    });
    await withScope(db, {}, async () => {
      onCommit(() => said.push('rolled back'));
      throw new Error('no');
    }).catch(() => {});
    expect(said).toEqual(['committed']);
  });

  it('says what to do when there is no transaction', () => {
    expect(() => onCommit(() => {})).toThrow('open one with withTenant, withUser or withScope');
  });

  it('knows the transaction that the caller runs in', async () => {
    expect(currentTransaction()).toBeNull();
    await withScope(db, {}, async (tx) => expect(currentTransaction()).toBe(tx));
  });
});

describe('the backup role', () => {
  it('reads every tenant’s rows with row_security off, as a dump does', async () => {
    const backup = openPatiently({ url: database.backupUrl, maxConnections: 1 });
    await backup.sql`set row_security = off`;
    expect(await texts(backup.sql<{ text: string }[]>`select text from note order by text`)).toEqual([
      'mine!',
      'theirs!',
    ]);
    await expect(backup.sql`update note set text = ''`).rejects.toThrow(/permission denied/);
    await backup.close();
  });
});

describe('the client', () => {
  it('prepares the statements that Drizzle sends', async () => {
    await withTenant(db, one, async (tx) => {
      await tx.execute('select 41 + 1 as answer');
      const prepared = await sqlOf(
        tx,
      )`select 1 from pg_prepared_statements where statement like '%41 + 1%' and name <> ''`;
      expect(prepared.length).toBeGreaterThan(0);
    });
  });
});
