import { type Database, sqlOf, withUser } from '@ballast/db';
import type { Membership } from '@ballast/http';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The person's place in this organisation, or in their personal one when none is named. Policies show a person only their own. */
export async function readMembership(
  db: Database,
  userId: string,
  organizationId: string | null,
): Promise<Membership | null> {
  if (organizationId !== null && !uuid.test(organizationId)) return null;
  return withUser(db, userId, async (tx) => {
    const [row] = await sqlOf(tx)<Membership[]>`
      select member.organization_id as "organizationId", member.role
      from accounts.member join accounts.organization on organization.id = member.organization_id
      where member.user_id = ${userId}
        and case when ${organizationId}::uuid is null then organization.personal
                 else member.organization_id = ${organizationId}::uuid end
      limit 1`;
    return row ?? null;
  });
}
