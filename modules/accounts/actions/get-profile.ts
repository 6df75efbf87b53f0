import type { RequestContext } from '@ballast/http';
import { eq } from 'drizzle-orm';
import { type AccountRequest, authOf, callerHeaders } from '../auth/account-action.ts';
import { known } from '../auth/failures.ts';
import { errors } from '../errors.ts';
import { organization, user } from '../schema.ts';
import { type Me, profileOf } from '../view.ts';

/** Sent by the web server, which asks while it renders and could not hand a new cookie on to the browser. */
const DO_NOT_EXTEND = 'ballast-do-not-extend';

/** Who is signed in, and in which organisation. Browsers ask this now and then, so this is also where a session is extended. */
export async function getProfile({ ctx, headers }: AccountRequest): Promise<{ me: Me; cookies: string[] }> {
  const { tenantId, userId } = ctx;
  const [found] =
    tenantId === null || userId === null
      ? []
      : await ctx.read((tx) =>
          tx
            .select({ person, place })
            .from(user)
            .innerJoin(organization, eq(organization.id, tenantId))
            .where(eq(user.id, userId)),
        );
  if (!found) throw errors.session_not_found({ internal: 'the account or its organisation is gone' });
  const me = { user: profileOf(found.person), organization: found.place };
  return { me, cookies: headers.has(DO_NOT_EXTEND) ? [] : await extended(ctx, headers) };
}

/** The cookies of a session that lasts longer from now on; none while its end is far enough away. */
async function extended(ctx: RequestContext, headers: Headers): Promise<string[]> {
  const auth = authOf(ctx);
  if (!ctx.identity || !auth.extendable(ctx.identity)) return [];
  const call = auth.api.getSession({ headers: callerHeaders(headers, ctx), returnHeaders: true });
  return (await known(call)).headers.getSetCookie();
}

const { id, name, email, emailVerified, createdAt } = user;
const person = { id, name, email, emailVerified, createdAt };
const place = { id: organization.id, name: organization.name, slug: organization.slug };
