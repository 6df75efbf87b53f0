import { type Database, sqlOf, type Tx } from '@ballast/db';
import { hashPassword, verifyPassword } from 'better-auth/crypto';

/**
 * Who signs up and then signs in hears "confirm your address first" when the account
 * is new, and must hear the same when the address had one. So the first password that
 * was typed for a confirmed account is kept, hashed, and opens nothing.
 */
export async function keepSignUpAttempt(tx: Tx, userId: string, passwordHash: string): Promise<void> {
  await sqlOf(tx)`
    insert into accounts.sign_up_attempt (user_id, password) values (${userId}, ${passwordHash})
    on conflict do nothing`;
}

/**
 * The person whose address was signed up with this password, or null. Takes one check
 * of a password for every address, so that the time tells nothing either.
 */
export async function findSignUpAttempt(
  database: Database,
  email: string,
  password: string,
): Promise<{ userId: string } | null> {
  const [kept] = await database.sql<{ userId: string; password: string }[]>`
    select user_id as "userId", attempt.password
    from accounts.sign_up_attempt attempt join accounts."user" person on person.id = user_id
    where email = ${email.toLowerCase()}`;
  nobodys ??= hashPassword('the password of nobody');
  const matches = await verifyPassword({ hash: kept?.password ?? (await nobodys), password });
  return kept && matches ? { userId: kept.userId } : null;
}

let nobodys: Promise<string> | undefined;
