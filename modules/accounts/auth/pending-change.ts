import { sqlOf, type Tx } from '@ballast/db';

/**
 * A person's one pending change of address. A newer request replaces it, so that a
 * link sent to a mistyped address is worth nothing once the person has corrected it.
 */
export interface PendingChange {
  newEmail: string;
  expiresAt: Date;
}

export async function keepPendingChange(tx: Tx, userId: string, change: PendingChange): Promise<void> {
  const sql = sqlOf(tx);
  await sql`delete from accounts.verification where identifier = ${identifierOf(userId)}`;
  await sql`
    insert into accounts.verification (identifier, value, expires_at)
    values (${identifierOf(userId)}, ${change.newEmail}, ${change.expiresAt.toISOString()})`;
}

export async function findPendingChange(tx: Tx, userId: string): Promise<PendingChange | null> {
  // Drizzle has the driver hand moments over as text.
  const [pending] = await sqlOf(tx)<{ newEmail: string; expiresAt: string }[]>`
    select value as "newEmail", expires_at as "expiresAt" from accounts.verification
    where identifier = ${identifierOf(userId)} and expires_at > now()`;
  return pending ? { newEmail: pending.newEmail, expiresAt: new Date(pending.expiresAt) } : null;
}

/** Ends every outstanding reset link and pending change: whoever holds one was given it under the old credentials. */
export async function dropOutstanding(tx: Tx, ...userIds: string[]): Promise<void> {
  await sqlOf(tx)`
    delete from accounts.verification
    where value = any(${userIds}::text[]) or identifier = any(${userIds.map(identifierOf)}::text[])`;
  await sqlOf(tx)`delete from accounts.sign_up_attempt where user_id = any(${userIds}::uuid[])`;
}

const identifierOf = (userId: string) => `change-email:${userId}`;
