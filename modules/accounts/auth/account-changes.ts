import { sqlOf, type Tx } from '@ballast/db';
import { enqueue } from '@ballast/jobs/enqueue';
import { sendAccountExists } from '../jobs/send-account-exists.job.ts';
import { sendEmailChanged } from '../jobs/send-email-changed.job.ts';
import { sendVerification } from '../jobs/send-verification.job.ts';
import { sendWelcome } from '../jobs/send-welcome.job.ts';
import { addressDigest } from './address-digest.ts';
import { auditPerson } from './audit-person.ts';
import { createPersonalOrganization } from './personal-organization.ts';
import { requestMail } from './request-mail.ts';

export interface Person {
  id: string;
  name: string;
  email: string;
  emailVerified: boolean;
}

/** How often one account can be sent each kind of mail that anyone can ask for. */
export const mailEverySeconds = { verification: 60, reset: 60, accountExists: 300 } as const;

/** What belongs to a new account, in the transaction that creates it: killed in between, there is neither. */
export async function accountCreated(tx: Tx, person: Person): Promise<void> {
  await createPersonalOrganization(tx, person);
  if (person.emailVerified) {
    await enqueue(tx, sendWelcome, { userId: person.id });
    return;
  }
  const payload = { userId: person.id, addressDigest: addressDigest(person) };
  await requestMail(tx, sendVerification, payload, { everySeconds: mailEverySeconds.verification });
  // The same form sent twice must not bring a second mail that tells of the first.
  await sqlOf(tx)`insert into accounts.mail_request (user_id, kind) values (${person.id}, ${sendAccountExists.name})`;
}

/** What follows from a changed account, in the transaction that changes it. */
export async function accountChanged(tx: Tx, before: Person, after: Person): Promise<void> {
  if (!before.emailVerified && after.emailVerified) {
    await auditPerson(tx, after.id, 'accounts.address.confirm');
    await enqueue(tx, sendWelcome, { userId: after.id });
  }
  if (before.email !== after.email) {
    await auditPerson(tx, after.id, 'accounts.address.change');
    await enqueue(tx, sendEmailChanged, { userId: after.id, oldEmail: before.email, newEmail: after.email });
  }
}
