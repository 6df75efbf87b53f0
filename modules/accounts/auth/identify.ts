import type { Database } from '@ballast/db';
import type { Caller } from '@ballast/http';
import { type SigningKeys, signedValue } from './signing-keys.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const nowhere = '00000000-0000-0000-0000-000000000000';

interface Row {
  sessionId: string;
  endsAtMs: number;
  userId: string;
  name: string;
  email: string;
  organizationId: string | null;
  role: string;
}

/**
 * Whose session a cookie carries, and their place in this organisation, or in their personal one when none is named.
 * Every request asks this, so it is one statement. A cookie that no key of ours signed costs none.
 */
export async function identify(
  database: Database,
  token: string | null,
  organizationId: string | null,
): Promise<Caller | null> {
  if (token === null) return null;
  const wanted = organizationId === null || uuid.test(organizationId) ? organizationId : nowhere;
  const [row] = await database.sql<Row[]>`
    select session.id as "sessionId", (extract(epoch from session.expires_at) * 1000)::float8 as "endsAtMs",
           person.id as "userId", person.name, person.email, place.organization_id as "organizationId", place.role
    from accounts.session
    join accounts."user" person on person.id = session.user_id
    left join lateral (
      select member.organization_id, member.role
      from accounts.member join accounts.organization on organization.id = member.organization_id
      where member.user_id = session.user_id
        and case when ${wanted}::uuid is null then organization.personal else member.organization_id = ${wanted}::uuid end
      limit 1
    ) place on true
    where session.token = ${token} and session.expires_at > now()`;
  if (!row) return null;
  const { sessionId, endsAtMs, userId, name, email } = row;
  return {
    identity: { userId, sessionId, sessionEndsAt: new Date(endsAtMs), name, email },
    membership: row.organizationId === null ? null : { organizationId: row.organizationId, role: row.role },
  };
}

/** The token in the session's cookie, when a key of ours signed it. As Better Auth, the first cookie of this name counts. */
export function sessionToken(headers: Headers, cookieName: string, keys: SigningKeys): string | null {
  for (const pair of (headers.get('cookie') ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (pair.slice(0, Math.max(at, 0)).trim() !== cookieName) continue;
    const value = pair.slice(at + 1);
    return (
      signedValue(value, keys.secret) ??
      (keys.previousSecret === undefined ? null : signedValue(value, keys.previousSecret))
    );
  }
  return null;
}
