import { type AccountRequest, authOf, callerHeaders, personOf } from '../auth/account-action.ts';
import { auditPerson } from '../auth/audit-person.ts';
import { known } from '../auth/failures.ts';

/** Ends all sessions of the person, this one included. */
export async function signOutEverywhere({ ctx, headers }: AccountRequest): Promise<{ cookies: string[] }> {
  const auth = authOf(ctx);
  const end = auth.transaction(async (tx) => {
    const ended = await auth.api.revokeSessions({ headers: callerHeaders(headers, ctx), returnHeaders: true });
    await auditPerson(tx, personOf(ctx), 'accounts.session.end-all');
    return ended;
  });
  return { cookies: (await known(end)).headers.getSetCookie() };
}
