import type { Tx } from '@ballast/db';
import { sendAccountExists } from '../jobs/send-account-exists.job.ts';
import { mailEverySeconds } from './account-changes.ts';
import { requestMail } from './request-mail.ts';

/** Tells the owner of an account that someone signs up with its address: once in a while. */
export function tellOwner(tx: Tx, userId: string): Promise<void> {
  return requestMail(tx, sendAccountExists, { userId }, { everySeconds: mailEverySeconds.accountExists });
}
