import { eq } from 'drizzle-orm';
import { type AccountAction, authOf, callerHeaders } from '../auth/account-action.ts';
import { known } from '../auth/failures.ts';
import { errors } from '../errors.ts';
import { organization, user } from '../schema.ts';
import { type Profile, profileOf } from './profile.ts';

export interface Me {
  user: Profile;
  organization: { id: string; name: string; slug: string };
}

/** Sent by the web server, which asks while it renders and could not hand a new cookie on to the browser. */
const DO_NOT_EXTEND = 'ballast-do-not-extend';

/** Who is signed in, and in which organisation. Browsers ask this now and then, so this is also where a session is extended. */
export async function getProfile({
  ctx,
  headers,
}: Omit<AccountAction<never>, 'input'>): Promise<{ me: Me; cookies: string[] }> {
  const me = await ctx.transaction(async (tx) => {
    const own = { id: user.id, name: user.name, email: user.email, emailVerified: user.emailVerified };
    const [person] = await tx
      .select({ ...own, createdAt: user.createdAt })
      .from(user)
      .where(eq(user.id, ctx.userId ?? ''));
    const [place] = await tx
      .select({ id: organization.id, name: organization.name, slug: organization.slug })
      .from(organization)
      .where(eq(organization.id, ctx.tenantId ?? ''));
    if (!person || !place) throw errors.session_not_found({ internal: 'the account or its organisation is gone' });
    return { user: profileOf(person), organization: place };
  });
  const call = authOf(ctx).api.getSession({
    headers: callerHeaders(headers, ctx),
    query: { disableRefresh: headers.has(DO_NOT_EXTEND) },
    returnHeaders: true,
  });
  return { me, cookies: (await known(call)).headers.getSetCookie() };
}
