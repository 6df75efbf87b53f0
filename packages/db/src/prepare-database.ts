import postgres from 'postgres';
import { refuseOldPostgres } from './oldest-postgres.ts';
import { prepareRoles, type RolePasswords, roles } from './roles.ts';

export interface Preparation {
  /** The database's name; the owner role will own it. */
  database: string;
  passwords: RolePasswords;
  /** See `limitNames`. */
  limitMs?: number;
}

/** 'Role' in ASCII. */
const lockKey = 0x526f6c65;

/**
 * Makes a server ready for migrations: the roles, with these passwords, and a database.
 * Says the same as before when it is repeated, and of several at once one does it.
 */
export async function prepareDatabase(adminUrl: string, { database, passwords, limitMs }: Preparation): Promise<void> {
  const admin = postgres(adminUrl, {
    max: 1,
    onnotice: () => {},
    connection: { application_name: 'ballast-prepare' },
  });
  try {
    await refuseOldPostgres(admin);
    await admin`select pg_advisory_lock(${lockKey})`;
    await prepareRoles(admin, passwords, limitMs);
    const [found] = await admin`select 1 from pg_database where datname = ${database}`;
    if (!found) await admin`create database ${admin(database)} owner ${admin(roles.owner)} template template0`;
  } finally {
    await admin.end({ timeout: 5 });
  }
}
