import type { RequestContext } from '@ballast/http';
import { authOf, personOf } from '../auth/account-action.ts';
import type { SessionView } from '../view.ts';

/** Where the person is signed in, the latest first. */
export async function listSessions({ ctx }: { ctx: RequestContext }): Promise<SessionView[]> {
  const store = await authOf(ctx).store;
  const sessions = await store.listSessions(personOf(ctx), { onlyActiveSessions: true });
  return sessions
    .sort((left, right) => right.updatedAt.getTime() - left.updatedAt.getTime())
    .map((session) => ({
      id: session.id,
      createdAt: session.createdAt.toISOString(),
      lastSeenAt: session.updatedAt.toISOString(),
      address: session.ipAddress || null,
      userAgent: session.userAgent || null,
      current: session.id === ctx.identity?.sessionId,
    }));
}
