import { currentTransaction, type Database, sqlOf, type Tx, withScope } from '@ballast/db';
import type { BetterAuthOptions } from '@better-auth/core';
import type { DBAdapter, DBTransactionAdapter } from '@better-auth/core/db/adapter';
import { APIError } from '@better-auth/core/error';
import { drizzleAdapter } from '@better-auth/drizzle-adapter';
import * as schema from '../schema.ts';
import { accountChanged, accountCreated, type Person } from './account-changes.ts';

/**
 * The Drizzle adapter, so that an account and what belongs to it commit together.
 * Better Auth's own hooks run after its commit: killed in between, the account would
 * stay without its mail. Therefore its transactions are opened by `withScope`, where
 * `enqueue` works, and `user` rows are written here with their consequences.
 */
export function accountsAdapter(database: Database): (options: BetterAuthOptions) => DBAdapter {
  const open = drizzleAdapter(scoped(database), { provider: 'pg', schema, transaction: true });
  return (options) => {
    const adapter = open(options);
    const transaction = adapter.transaction.bind(adapter);
    const begin: DBAdapter['transaction'] = (work) => transaction((inner) => work({ ...inner, ...seam(inner) }));
    // Assigned, not copied: Better Auth keeps its check of the schema by the adapter's identity.
    const plain = seam({ ...adapter });
    return Object.assign(adapter, {
      transaction: begin,
      create: ((given) =>
        given.model === 'user' ? begin((inner) => inner.create(given)) : plain.create(given)) as DBAdapter['create'],
      update: ((given) =>
        given.model === 'user' ? begin((inner) => inner.update(given)) : plain.update(given)) as DBAdapter['update'],
    });
  };
}

/** The same connection pool, whose transactions carry a scope and know `onCommit`. */
function scoped(database: Database): Database['orm'] {
  return new Proxy(database.orm, {
    get: (orm, property) =>
      property === 'transaction'
        ? (work: (tx: Tx) => Promise<unknown>) => withScope(database, {}, work)
        : Reflect.get(orm, property, orm),
  });
}

function seam(inner: DBTransactionAdapter): Pick<DBTransactionAdapter, 'create' | 'update'> {
  const { create, update } = inner;
  return {
    create: (async (given: Parameters<typeof create>[0]) => {
      if (given.model !== 'user') return create(given);
      try {
        const made = await create(given);
        await accountCreated(required(), made as unknown as Person);
        return made;
      } catch (cause) {
        throw notWritten(cause);
      }
    }) as typeof create,
    update: (async (given: Parameters<typeof update>[0]) => {
      const matters = given.model === 'user' && ('email' in given.update || 'emailVerified' in given.update);
      const before = matters ? await locked(inner, given.where) : null;
      const after = await update(given);
      if (before && after) await accountChanged(required(), before, after as Person);
      return after;
    }) as typeof update,
  };
}

/** The person as they are now, held until the commit: of two changes at once the second sees the first. */
async function locked(inner: DBTransactionAdapter, where: Parameters<DBAdapter['findOne']>[0]['where']) {
  const found = await inner.findOne<{ id: string }>({ model: 'user', where });
  if (!found) return null;
  return lockPerson(required(), found.id);
}

/** Reads a person and holds the row until the commit. */
export async function lockPerson(tx: Tx, id: string): Promise<Person | null> {
  const [person] = await sqlOf(tx)<Person[]>`
    select id, name, email, email_verified as "emailVerified" from accounts."user" where id = ${id} for update`;
  return person ?? null;
}

/** Better Auth answers any other error with one that hides the reason, and logs it with the address in it. */
function notWritten(cause: unknown): APIError {
  const refusal = { code: 'ACCOUNT_NOT_WRITTEN', message: 'The account was not written.' };
  return APIError.from('SERVICE_UNAVAILABLE', refusal, { cause });
}

function required(): Tx {
  const tx = currentTransaction();
  if (!tx) throw new Error('An account was written outside a transaction.');
  return tx;
}
