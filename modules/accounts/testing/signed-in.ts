import { randomBytes, randomUUID } from 'node:crypto';
import type { Database } from '@ballast/db';
import type { Identity } from '@ballast/http';
import type { member } from '../schema.ts';

/** Someone who is signed in, and their personal organisation. */
export interface SignedIn extends Identity {
  organizationId: string;
  /** What their session is found by. */
  token: string;
}

export type Role = (typeof member.$inferSelect)['role'];

/**
 * Writes a person with an organisation and a session of their own, as a sign-up and its confirmation leave them, without
 * the hash of a password and the mail that those take. Any role in it but `owner` is for what a permission refuses.
 */
export async function addSignedIn(admin: Database, role: Role): Promise<SignedIn> {
  const person: SignedIn = {
    userId: randomUUID(),
    sessionId: randomUUID(),
    sessionEndsAt: new Date(Date.now() + 3_600_000),
    name: 'Ada Lovelace',
    email: `ada-${randomUUID()}@example.com`,
    organizationId: randomUUID(),
    token: randomBytes(16).toString('hex'),
  };
  const { userId, organizationId } = person;
  await admin.sql`
    with person as (
      insert into accounts."user" (id, name, email, email_verified) values (${userId}, ${person.name}, ${person.email}, true)
    ), home as (
      insert into accounts.organization (id, name, slug, personal) values (${organizationId}, 'Own', ${organizationId}, true)
    ), place as (
      insert into accounts.member (organization_id, user_id, role) values (${organizationId}, ${userId}, ${role})
    )
    insert into accounts.session (id, user_id, token, expires_at)
    values (${person.sessionId}, ${userId}, ${person.token}, ${person.sessionEndsAt.toISOString()})`;
  return person;
}
