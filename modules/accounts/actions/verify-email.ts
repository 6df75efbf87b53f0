import { sqlOf, type Tx } from '@ballast/db';
import { z } from 'zod';
import { type AccountAction, authOf, strangerHeaders } from '../auth/account-action.ts';
import { lockPerson } from '../auth/adapter.ts';
import { isDuplicate, known } from '../auth/failures.ts';
import { linkTokens } from '../auth/link-tokens.ts';
import { dropOutstanding, findPendingChange } from '../auth/pending-change.ts';
import { errors } from '../errors.ts';
import { token } from '../fields.ts';
import { type Profile, profileOf } from '../view.ts';

export const VerifyEmail = z.strictObject({ token });

/**
 * Redeems the link that proves a mailbox: a new account's (and signs in), or a
 * changed address's (and does not: whoever reads that mailbox is not yet known to be
 * the person). Works once; the row stays locked, so of two clicks at once one wins.
 */
export async function verifyEmail({
  ctx,
  headers,
  input,
}: AccountAction<z.output<typeof VerifyEmail>>): Promise<{ user: Profile; cookies: string[] }> {
  const auth = authOf(ctx);
  const given = VerifyEmail.parse(input).token;
  const claims = await linkTokens.readAddress(auth.options, given);
  const signed = await linkTokens.signedAgain(auth.options, given);
  // biome-ignore lint/plugin/actions-audit: written with the row that Better Auth changes (auth/account-changes.ts)
  const redeem = auth.transaction(async (tx) => {
    const person = await lockPerson(tx, claims.userId);
    if (!person) throw errors.link_invalid({ internal: 'the account is gone' });
    if (person.email !== claims.email) throw errors.link_used();
    if (claims.updateTo) await requirePending(tx, person.id, claims.updateTo);
    else if (person.emailVerified) throw errors.link_used();
    const result = await auth.api.verifyEmail({
      query: { token: signed },
      headers: strangerHeaders(headers, ctx),
      returnHeaders: true,
    });
    if (claims.updateTo) await dropOutstanding(tx, person.id);
    const after = await (await auth.store).findUserById(person.id);
    if (!after) throw errors.link_invalid();
    return { user: profileOf(after), cookies: result.headers.getSetCookie() };
  });
  return known(redeem).catch((error) => {
    throw isDuplicate(error) ? errors.email_taken({ cause: error }) : error;
  });
}

async function requirePending(tx: Tx, userId: string, newEmail: string): Promise<void> {
  const pending = await findPendingChange(tx, userId);
  if (pending?.newEmail !== newEmail) throw errors.link_used();
  const [taken] = await sqlOf(tx)`select 1 from accounts."user" where email = ${newEmail}`;
  if (taken) throw errors.email_taken();
}
