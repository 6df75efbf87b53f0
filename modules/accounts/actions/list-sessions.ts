import type { RequestContext } from '@ballast/http';
import { authOf } from '../auth/account-action.ts';

export interface SessionItem {
  id: string;
  createdAt: string;
  lastSeenAt: string;
  address: string | null;
  userAgent: string | null;
  current: boolean;
}

/** Where the person is signed in, the latest first. Never a token: the list must not be worth stealing. */
export async function listSessions({ ctx }: { ctx: RequestContext }): Promise<SessionItem[]> {
  const store = await authOf(ctx).store;
  const sessions = await store.listSessions(ctx.userId ?? '', { onlyActiveSessions: true });
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
