import { type AccountAction, authOf, callerHeaders, personOf } from '../auth/account-action.ts';
import { auditPerson } from '../auth/audit-person.ts';
import { known } from '../auth/failures.ts';

/** Changes the person's name. Their personal organisation keeps its own. */
export async function renameProfile({ ctx, headers, input }: AccountAction<{ name: string }>): Promise<void> {
  const auth = authOf(ctx);
  const rename = auth.transaction(async (tx) => {
    await auth.api.updateUser({ body: { name: input.name }, headers: callerHeaders(headers, ctx) });
    await auditPerson(tx, personOf(ctx), 'accounts.profile.rename');
  });
  await known(rename);
}
