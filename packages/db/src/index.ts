/**
 * The database: a pool, transactions that carry a scope, and the check of migrations.
 * `./migrate` and `./roles` are doors of their own: api and worker never open them.
 *
 * @example
 * const db = openDatabase({ url, applicationName: 'ballast-api' });
 * const rows = await withTenant(db, organizationId, (tx) => tx.select().from(invoice));
 * await db.close();
 */
export { type AuditEvent, audit } from './audit.ts';
export { causesOf } from './causes-of.ts';
export { checkMigrations, type MigrationState } from './check-migrations.ts';
export { type Database, type DatabaseOptions, openDatabase, sqlOf, type Tx } from './client.ts';
export { durabilityProblems } from './durability.ts';
export { isTooOld, oldestMajor, versionName } from './oldest-postgres.ts';
export { type PoolerNeeds, poolerProblems } from './pooler-problems.ts';
export { openPools, type PoolState } from './pools.ts';
export {
  currentKeys,
  currentTransaction,
  doorsTo,
  onCommit,
  readScope,
  type Scope,
  travelsWithCommit,
  withScope,
  withTenant,
  withUser,
} from './transaction.ts';
