import type { RequestContext, Services } from '@ballast/http';
import type { RequestAction } from '../../context.ts';
import { type Auth, addressHeader } from './open-auth.ts';
import { signedAgain } from './signing-keys.ts';

/** What an action on a person's identity is given by a request: its cookies and its browser too. */
export interface AccountRequest {
  ctx: RequestContext;
  headers: Headers;
}

/** The same with what was sent. */
export type AccountAction<Input> = AccountRequest & RequestAction<Input>;

/** What the process opened under `auth`; this module alone knows its type. */
export function authOf({ services }: { services: Pick<Services, 'auth'> }): Auth {
  return services.auth as Auth;
}

/** The person who asks. Only routes that need a session have one: an action of the others must not ask. */
export function personOf({ userId }: Pick<RequestContext, 'userId'>): string {
  if (userId === null) throw new Error('This action is for people with a session: give its route `access: "session"`.');
  return userId;
}

/** The request's headers as Better Auth shall see them: with the client's address as the edge resolved it. */
export function callerHeaders(headers: Headers, ctx: RequestContext): Headers {
  const seen = new Headers(signedAgain(headers, authOf(ctx).options));
  seen.set(addressHeader, ctx.address);
  return seen;
}

/** The same without the session, for what a link alone must allow. */
export function strangerHeaders(headers: Headers, ctx: RequestContext): Headers {
  const seen = callerHeaders(headers, ctx);
  seen.delete('cookie');
  return seen;
}
