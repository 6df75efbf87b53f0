import { type AccountAction, authOf, callerHeaders } from '../auth/account-action.ts';
import { known } from '../auth/failures.ts';

/** Changes the person's name. Their personal organisation keeps its own. */
export async function renameProfile({ ctx, headers, input }: AccountAction<{ name: string }>): Promise<void> {
  await known(authOf(ctx).api.updateUser({ body: { name: input.name }, headers: callerHeaders(headers, ctx) }));
}
