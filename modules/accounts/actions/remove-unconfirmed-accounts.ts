import { sqlOf, type Tx } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import { z } from 'zod';
import type { Action } from '../../context.ts';
import { asIdentity } from '../auth/as-identity.ts';
import { dropOutstanding } from '../auth/pending-change.ts';
import { removeUnconfirmedAccounts } from '../jobs/remove-unconfirmed-accounts.job.ts';

export const RemoveAccounts = z.strictObject({
  /** The last account that an earlier batch looked at. */
  afterId: z.uuid().optional(),
  keepUnconfirmedDays: z.int().min(1),
});

type RemoveAccounts = z.output<typeof RemoveAccounts>;

type Sql = ReturnType<typeof sqlOf>;

const batch = 100;

/**
 * Removes accounts whose address nobody confirmed and for which nobody has asked for a
 * mail in the last days, with what their sign-up made: the personal organisation, the
 * password, the links. Looks at one batch and adds the job of the next.
 *
 * Whoever was ever signed in, belongs to another organisation or owns a row of any
 * module is left alone: such an account was used, whatever its address says.
 */
export async function removeAccounts({ ctx, input }: Action<RemoveAccounts>): Promise<void> {
  const asked = RemoveAccounts.parse(input);
  const removed = await ctx.transaction(async (tx) => {
    const [looked, gone] = await asIdentity(tx, async (sql) => {
      const ids = await holdBatch(sql, asked);
      return [ids, ids.length > 0 ? await removeBare(tx, ids, asked) : []] as const;
    });
    const last = looked.at(-1);
    if (last && looked.length === batch) await enqueue(tx, removeUnconfirmedAccounts, { afterId: last });
    return gone.length;
  });
  if (removed > 0) ctx.log.info({ removed }, 'unconfirmed accounts removed');
}

/**
 * Locks people and their organisations until the commit: nothing can come to refer to
 * them meanwhile, and whoever is being confirmed at this moment is passed over.
 */
async function holdBatch(sql: Sql, { afterId, keepUnconfirmedDays }: RemoveAccounts): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select person.id from accounts."user" person
    join accounts.member on member.user_id = person.id and member.role = 'owner'
    join accounts.organization home on home.id = member.organization_id and home.personal
    where not person.email_verified and person.id > ${afterId ?? '00000000-0000-0000-0000-000000000000'}
      and person.created_at < now() - make_interval(days => ${keepUnconfirmedDays})
    order by person.id limit ${batch} for update of person, home skip locked`;
  return rows.map((row) => row.id);
}

/** Of those that are held, removes the ones that nothing speaks for. A statement of its own: it sees what was committed before they were held. */
async function removeBare(tx: Tx, ids: readonly string[], { keepUnconfirmedDays }: RemoveAccounts): Promise<string[]> {
  const sql = sqlOf(tx);
  const bare = await sql<{ id: string; home: string }[]>`
    select person.id, home.id as home from accounts."user" person
    join accounts.member on member.user_id = person.id and member.role = 'owner'
    join accounts.organization home on home.id = member.organization_id and home.personal
    where person.id = any(${ids as string[]}::uuid[])
      and not exists (select 1 from accounts.session where user_id = person.id)
      and not exists (select 1 from accounts.account where user_id = person.id and provider_id <> 'credential')
      and not exists (
        select 1 from accounts.mail_request
        where user_id = person.id and asked_at > now() - make_interval(days => ${keepUnconfirmedDays})
      )
      and not exists (select 1 from accounts.member other where other.user_id = person.id and other.organization_id <> home.id)
      and not exists (select 1 from accounts.member other where other.organization_id = home.id and other.user_id <> person.id)
      and not accounts.owns_anything(person.id, home.id)`;
  const people = bare.map((row) => row.id);
  if (people.length === 0) return [];
  await dropOutstanding(tx, ...people);
  // biome-ignore lint/plugin/actions-audit: the log is the organisation's own, and a sign-up that nobody confirmed has no line in it
  await sql`delete from accounts.organization where id = any(${bare.map((row) => row.home)}::uuid[])`;
  // biome-ignore lint/plugin/actions-audit: the same: what is undone is the sign-up
  await sql`delete from accounts."user" where id = any(${people}::uuid[])`;
  return people;
}
