import { z } from 'zod';
import { type AccountAction, authOf, callerHeaders, personOf } from '../auth/account-action.ts';
import { auditPerson } from '../auth/audit-person.ts';
import { known } from '../auth/failures.ts';
import { errors } from '../errors.ts';

export const EndSession = z.strictObject({ id: z.uuid() });

/** Ends one of the person's own sessions; another's does not exist here. */
export async function endSession({
  ctx,
  headers,
  input,
}: AccountAction<z.output<typeof EndSession>>): Promise<{ cookies: string[] }> {
  const auth = authOf(ctx);
  const { id } = EndSession.parse(input);
  const own = await (await auth.store).listSessions(personOf(ctx), { onlyActiveSessions: true });
  const session = own.find((candidate) => candidate.id === id);
  if (!session) throw errors.session_not_found();
  const end = auth.transaction(async (tx) => {
    const ended = await auth.api.revokeSession({
      body: { token: session.token },
      headers: callerHeaders(headers, ctx),
      returnHeaders: true,
    });
    await auditPerson(tx, personOf(ctx), 'accounts.session.end', session.id);
    return ended;
  });
  return { cookies: (await known(end)).headers.getSetCookie() };
}
