import type postgres from 'postgres';
import { defaultRequestMs, limitNames } from './limits.ts';

/**
 * The four logins, and one hat. The auth adapter's pool puts `ballast_auth` on, and it
 * alone may read password hashes and sessions, so that a stray query elsewhere in the
 * app is refused by Postgres, loudly. A pooler's sessions can put on nothing: there it
 * is a login, with the password of the app, who may wear it anyway.
 */
export const roles = {
  /** Owns every table; migrations only. */
  owner: 'ballast_owner',
  /** api and worker: owns nothing, cannot bypass row-level security. */
  app: 'ballast_app',
  /** The jobs tables of all tenants, and nothing else. */
  dispatcher: 'ballast_dispatcher',
  /** Reads everything, for backups. */
  backup: 'ballast_backup',
  /** The identity tables; put on by `ballast_app`, or logged in as with its password. */
  auth: 'ballast_auth',
} as const;

export type RolePasswords = Record<'owner' | 'app' | 'dispatcher' | 'backup', string>;

/**
 * Creates the roles, or brings their attributes, passwords and limits up to date. Runs as
 * a superuser, once per server: `npm start` and the Compose file's first start do it.
 */
export async function prepareRoles(
  admin: postgres.Sql,
  passwords: RolePasswords,
  limitMs = defaultRequestMs,
): Promise<void> {
  await ensureRole(admin, roles.owner, 'login nosuperuser nobypassrls', passwords.owner);
  await ensureRole(admin, roles.app, 'login nosuperuser nobypassrls noinherit', passwords.app);
  await ensureRole(admin, roles.dispatcher, 'login nosuperuser nobypassrls', passwords.dispatcher);
  await ensureRole(admin, roles.backup, 'login nosuperuser bypassrls', passwords.backup);
  await ensureRole(admin, roles.auth, 'login nosuperuser nobypassrls', passwords.app);
  for (const role of [roles.app, roles.auth]) {
    for (const limit of limitNames) await admin.unsafe(`alter role ${role} set ${limit} = ${Number(limitMs)}`);
  }
  await admin.unsafe(`grant ${roles.auth} to ${roles.app} with inherit false, set true`);
  // For the one function that ends the session of a frozen worker (packages/jobs, jobs.end_holders).
  await admin.unsafe(`grant ${roles.app} to ${roles.owner} with inherit true, set false`);
  await admin.unsafe(`grant pg_read_all_data to ${roles.backup}`);
}

async function ensureRole(admin: postgres.Sql, name: string, attributes: string, password: string) {
  const [found] = await admin`select 1 from pg_roles where rolname = ${name}`;
  await admin.unsafe(`${found ? 'alter' : 'create'} role ${name} with ${attributes}`);
  const [quoted] = await admin<{ text: string }[]>`select quote_literal(${password}) as text`;
  await admin.unsafe(`alter role ${name} password ${quoted?.text}`);
}
