import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '@ballast/kernel';
import postgres from 'postgres';
import { refuseOldPostgres } from './oldest-postgres.ts';

/** A folder of `0001_name.sql` files that belong to one module or package. */
export interface MigrationSource {
  module: string;
  directory: string;
}

export interface Migration {
  module: string;
  /** The file's name without `.sql`; files run in this order within a module. */
  name: string;
  checksum: string;
  text: string;
}

/** 'Ball' in ASCII: one lock for all of Ballast's migrations in a database. */
const lockKey = 0x42616c6c;

/** How often whoever waits asks for the lock. */
const askEveryMs = 200;
/** An index on a large table takes its time, and a deploy has to end: who has waited this long says so, and fails. */
const patienceMs = 60 * 60_000;

export interface MigrateOptions {
  /** Another process migrates, and this one waits for it. */
  onWait?: () => void;
  patienceMs?: number;
}

/** Reads the migrations of all sources, in order. A source without a folder has none. */
export async function readMigrations(sources: readonly MigrationSource[]): Promise<Migration[]> {
  const all: Migration[] = [];
  for (const source of sources) {
    const files = await readdir(source.directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    for (const file of files.filter((name) => name.endsWith('.sql')).sort()) {
      const text = await readFile(join(source.directory, file), 'utf8');
      all.push({ module: source.module, name: file.slice(0, -4), checksum: checksumOf(text), text });
    }
  }
  return all;
}

/**
 * Applies what is missing, each migration in a transaction of its own (or, where its first
 * line says so, in none), under an
 * advisory lock: of several processes exactly one applies it, the others wait and
 * find nothing to do. A failed statement rolls its migration back and is reported
 * by the migration's name.
 *
 * @returns the migrations that this call applied, as `module/name`.
 */
export async function migrate(
  ownerUrl: string,
  migrations: readonly Migration[],
  options: MigrateOptions = {},
): Promise<string[]> {
  const sql = postgres(ownerUrl, {
    max: 1,
    // The lock is its session's: one that were renewed after half an hour would go on without it.
    max_lifetime: null,
    onnotice: () => {},
    connection: { application_name: 'ballast-migrate' },
  });
  try {
    await refuseOldPostgres(sql);
    await takeLock(sql, options);
    await sql.unsafe(ledger);
    const applied = new Map(
      (
        await sql<
          { id: string; checksum: string }[]
        >`select module || '/' || name as id, checksum from ballast.migration`
      ).map((row) => [row.id, row.checksum]),
    );
    const now: string[] = [];
    for (const migration of migrations) {
      const id = `${migration.module}/${migration.name}`;
      const known = applied.get(id);
      if (known === migration.checksum) continue;
      if (known !== undefined) throw changed(id);
      await apply(sql, migration);
      now.push(id);
    }
    return now;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * Asks, and asks again. A statement that waits for the lock keeps its snapshot meanwhile, and `create index
 * concurrently` waits until every older snapshot is gone: the two would wait for each other, and Postgres ends one.
 */
async function takeLock(sql: postgres.Sql, options: MigrateOptions): Promise<void> {
  const waitMs = options.patienceMs ?? patienceMs;
  const until = performance.now() + waitMs;
  for (let asked = 0; ; asked++) {
    const [row] = await sql<{ taken: boolean }[]>`select pg_try_advisory_lock(${lockKey}) as taken`;
    if (row?.taken) return;
    if (asked === 0) options.onWait?.();
    if (performance.now() > until) {
      throw new AppError('database.migration_waited', {
        public: `Another process has been migrating this database for ${Math.round(waitMs / 60_000)} minutes. See pg_stat_activity, application_name ballast-migrate.`,
      });
    }
    await pause(askEveryMs);
  }
}

async function apply(sql: postgres.Sql, migration: Migration): Promise<void> {
  const id = `${migration.module}/${migration.name}`;
  const alone = outsideTransaction(migration.text);
  try {
    if (alone) return await applyAlone(sql, migration);
    await sql.begin(async (tx) => {
      // A migration that waits for a lock makes every later query wait behind it.
      await tx`set local lock_timeout = '10s'`;
      await tx.unsafe(migration.text);
      await enter(tx, migration);
    });
  } catch (cause) {
    throw new AppError('database.migration_failed', {
      public: `Migration ${id} failed ${alone ? 'outside a transaction, and no later one was begun' : 'and was rolled back'}: ${(cause as Error).message}.`,
      cause,
    });
  }
}

/** Its first line says so: `-- outside a transaction: why`. For one statement, such as `create index concurrently`. */
export function outsideTransaction(text: string): boolean {
  return /^-- outside a transaction: \S/.test(text);
}

/**
 * Postgres builds an index beside running writes only outside of any transaction. One that
 * fails, or whose process dies, leaves an index that counts as there and is never used:
 * so what an earlier attempt left goes first, and what this one leaves goes after it.
 */
async function applyAlone(sql: postgres.Sql, migration: Migration): Promise<void> {
  const index = /\bcreate (?:unique )?index concurrently (?:if not exists )?(\w+)/i.exec(migration.text)?.[1];
  await dropUnfinished(sql, index);
  try {
    // Alone in its message: several would be a transaction again.
    await sql.unsafe(migration.text);
  } catch (error) {
    await dropUnfinished(sql, index);
    throw error;
  }
  await enter(sql, migration);
}

async function dropUnfinished(sql: postgres.Sql, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  const found = await sql<{ index: string }[]>`
    select format('%I.%I', nspname, relname) as index
    from pg_index join pg_class on pg_class.oid = indexrelid join pg_namespace on pg_namespace.oid = relnamespace
    where relname = ${name} and not indisvalid and pg_has_role(relowner, 'usage')`;
  for (const { index } of found) await sql.unsafe(`drop index concurrently ${index}`);
}

async function enter(sql: postgres.Sql | postgres.TransactionSql, migration: Migration): Promise<void> {
  await sql`insert into ballast.migration (module, name, checksum)
            values (${migration.module}, ${migration.name}, ${migration.checksum})`;
}

function changed(id: string): AppError {
  return new AppError('database.migration_changed', {
    public: `Migration ${id} was edited after it had been applied. Restore the file and write a new migration instead.`,
  });
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}

const ledger = `
create schema if not exists ballast;
create table if not exists ballast.migration (
  module text not null,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now(),
  primary key (module, name)
);
grant usage on schema ballast to ballast_app, ballast_dispatcher;
grant select on ballast.migration to ballast_app, ballast_dispatcher;
`;
