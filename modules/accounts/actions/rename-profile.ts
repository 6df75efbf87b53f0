import { z } from 'zod';
import { type AccountAction, authOf, callerHeaders, personOf } from '../auth/account-action.ts';
import { auditPerson } from '../auth/audit-person.ts';
import { known } from '../auth/failures.ts';
import { name } from '../fields.ts';

export const RenameProfile = z.strictObject({ name });

/** Changes the person's name. Their personal organisation keeps its own. */
export async function renameProfile({
  ctx,
  headers,
  input,
}: AccountAction<z.output<typeof RenameProfile>>): Promise<void> {
  const auth = authOf(ctx);
  const body = RenameProfile.parse(input);
  const rename = auth.transaction(async (tx) => {
    await auth.api.updateUser({ body, headers: callerHeaders(headers, ctx) });
    await auditPerson(tx, personOf(ctx), 'accounts.profile.rename');
  });
  await known(rename);
}
