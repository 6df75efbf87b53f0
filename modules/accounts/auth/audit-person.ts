import { sqlOf, type Tx } from '@ballast/db';

/** What people do to their own accounts. Signing up is none: it is undone when nobody confirms the address. */
export type PersonalAct =
  | 'accounts.address.confirm'
  | 'accounts.address.change'
  | 'accounts.password.change'
  | 'accounts.password.reset'
  | 'accounts.profile.rename'
  | 'accounts.session.end'
  | 'accounts.session.end-all';

/** Writes one line of the person's audit log, in the transaction of what it tells. The subject is the person unless it is said. */
export async function auditPerson(tx: Tx, userId: string, action: PersonalAct, subject = userId): Promise<void> {
  await sqlOf(tx)`select accounts.audit(${userId}, ${action}, ${subject})`;
}
