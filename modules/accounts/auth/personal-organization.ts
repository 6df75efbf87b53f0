import { sqlOf, type Tx } from '@ballast/db';

/** Every account owns an organisation from its first moment: whatever a person makes has a tenant. */
export async function createPersonalOrganization(tx: Tx, person: { id: string; name: string }): Promise<void> {
  await sqlOf(tx)`
    with made as (
      insert into accounts.organization (name, slug, personal)
      values (${person.name}, ${slugOf(person)}, true)
      returning id
    )
    insert into accounts.member (organization_id, user_id, role) select id, ${person.id}, 'owner' from made`;
}

/** Readable where the name allows it, and unique by a part of the id. */
export function slugOf({ id, name }: { id: string; name: string }): string {
  const readable = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 30)
    .replace(/^-+|-+$/g, '');
  return `${readable || 'space'}-${id.replaceAll('-', '').slice(0, 12)}`;
}
