import { type Env, endpoint, type RateLimit, validate } from '@ballast/http';
import type { Context } from 'hono';
import { Hono } from 'hono';
import { z } from 'zod';
import { ChangeEmail, changeEmail } from './actions/change-email.ts';
import { ChangePassword, changePassword } from './actions/change-password.ts';
import { EndSession, endSession } from './actions/end-session.ts';
import { getProfile } from './actions/get-profile.ts';
import { listSessions } from './actions/list-sessions.ts';
import { RenameProfile, renameProfile } from './actions/rename-profile.ts';
import { RequestPasswordReset, requestPasswordReset } from './actions/request-password-reset.ts';
import { ResendVerification, resendVerification } from './actions/resend-verification.ts';
import { ResetPassword, resetPassword } from './actions/reset-password.ts';
import { SignIn, signIn } from './actions/sign-in.ts';
import { signOut } from './actions/sign-out.ts';
import { signOutEverywhere } from './actions/sign-out-everywhere.ts';
import { SignUp, signUp } from './actions/sign-up.ts';
import { VerifyEmail, verifyEmail } from './actions/verify-email.ts';
import { Me, SessionView, SignedIn } from './view.ts';

/** One rule for the caller's address and one for the account that the body names, whether or not it exists. */
const limits = (
  name: string,
  { perAddress, perAccount, windowSeconds }: Record<'perAddress' | 'perAccount' | 'windowSeconds', number>,
): RateLimit[] => [
  { name: `accounts.${name}.address`, limit: perAddress, windowSeconds, by: ['address'] },
  { name: `accounts.${name}.account`, limit: perAccount, windowSeconds, by: ['account'], accountField: 'email' },
];

/** Better Auth's cookies, on whatever the route answers. */
function keepCookies(c: Context<Env>, cookies: readonly string[]): void {
  for (const cookie of cookies) c.header('set-cookie', cookie, { append: true });
}

const accepted = {
  202: { description: 'The same answer whether or not the address has an account.', schema: z.strictObject({}) },
};
const linkProblems = {
  400: { description: '`accounts.link_invalid`: not a link of ours.' },
  409: { description: '`accounts.link_used`: used already, or replaced by a newer one.' },
  410: { description: '`accounts.link_expired`' },
};

export const routes = new Hono<Env>()
  .post(
    '/sign-up',
    endpoint({
      summary: 'Create an account',
      description: 'Sends a link that confirms the address. For an address that has an account, its owner gets a mail.',
      access: 'public',
      rateLimit: limits('sign-up', { perAddress: 30, perAccount: 5, windowSeconds: 900 }),
      responses: accepted,
    }),
    validate('json', SignUp),
    async (c) => {
      await signUp({ ctx: c.var.ctx, headers: c.req.raw.headers, input: c.req.valid('json') });
      return c.json({}, 202);
    },
  )
  .post(
    '/sign-in',
    endpoint({
      summary: 'Sign in',
      access: 'public',
      rateLimit: limits('sign-in', { perAddress: 60, perAccount: 10, windowSeconds: 300 }),
      responses: {
        200: { description: 'Signed in; sets the session cookie.', schema: SignedIn },
        401: { description: '`accounts.wrong_credentials`' },
        403: { description: '`accounts.email_not_verified`: the password is right, and a new link was sent.' },
      },
    }),
    validate('json', SignIn),
    async (c) => {
      const input = c.req.valid('json');
      const { user, cookies } = await signIn({ ctx: c.var.ctx, headers: c.req.raw.headers, input });
      keepCookies(c, cookies);
      return c.json({ user }, 200);
    },
  )
  .post(
    '/sign-out',
    endpoint({
      summary: 'Sign out',
      description: 'Also without a session: signing out twice is no mistake.',
      access: 'public',
      responses: { 204: { description: 'Signed out.' } },
    }),
    async (c) => {
      const { cookies } = await signOut({ ctx: c.var.ctx, headers: c.req.raw.headers });
      keepCookies(c, cookies);
      return c.body(null, 204);
    },
  )
  .post(
    '/verify-email',
    endpoint({
      summary: 'Redeem a confirmation link',
      description: "Confirms a new account's address and signs in; or completes a change of address.",
      access: 'public',
      rateLimit: { name: 'accounts.verify-email', limit: 60, windowSeconds: 900, by: ['address'] },
      responses: { 200: { description: 'Confirmed.', schema: SignedIn }, ...linkProblems },
    }),
    validate('json', VerifyEmail),
    async (c) => {
      const input = c.req.valid('json');
      const { user, cookies } = await verifyEmail({ ctx: c.var.ctx, headers: c.req.raw.headers, input });
      keepCookies(c, cookies);
      return c.json({ user }, 200);
    },
  )
  .post(
    '/resend-verification',
    endpoint({
      summary: 'Send the confirmation link again',
      access: 'public',
      rateLimit: limits('resend-verification', { perAddress: 30, perAccount: 5, windowSeconds: 900 }),
      responses: accepted,
    }),
    validate('json', ResendVerification),
    async (c) => {
      await resendVerification({ ctx: c.var.ctx, headers: c.req.raw.headers, input: c.req.valid('json') });
      return c.json({}, 202);
    },
  )
  .post(
    '/forgot-password',
    endpoint({
      summary: 'Send a link that sets a new password',
      access: 'public',
      rateLimit: limits('forgot-password', { perAddress: 30, perAccount: 5, windowSeconds: 900 }),
      responses: accepted,
    }),
    validate('json', RequestPasswordReset),
    async (c) => {
      await requestPasswordReset({ ctx: c.var.ctx, input: c.req.valid('json') });
      return c.json({}, 202);
    },
  )
  .post(
    '/reset-password',
    endpoint({
      summary: 'Set a new password by a link',
      description: 'Ends all sessions and all other reset links.',
      access: 'public',
      rateLimit: { name: 'accounts.reset-password', limit: 30, windowSeconds: 900, by: ['address'] },
      responses: { 204: { description: 'The new password is set.' }, ...linkProblems },
    }),
    validate('json', ResetPassword),
    async (c) => {
      await resetPassword({ ctx: c.var.ctx, headers: c.req.raw.headers, input: c.req.valid('json') });
      return c.body(null, 204);
    },
  )
  .get(
    '/me',
    endpoint({
      summary: 'Show who is signed in',
      access: 'session',
      responses: { 200: { description: 'The person and the organisation of this request.', schema: Me } },
    }),
    async (c) => {
      const { me, cookies } = await getProfile({ ctx: c.var.ctx, headers: c.req.raw.headers });
      keepCookies(c, cookies);
      return c.json(me, 200);
    },
  )
  .patch(
    '/me',
    endpoint({
      summary: "Change the person's name",
      access: 'session',
      rateLimit: { name: 'accounts.rename', limit: 30, windowSeconds: 900, by: ['account'] },
      responses: { 200: { description: 'The person as they are now.', schema: Me } },
    }),
    validate('json', RenameProfile),
    async (c) => {
      const { ctx } = c.var;
      const { headers } = c.req.raw;
      await renameProfile({ ctx, headers, input: c.req.valid('json') });
      const { me, cookies } = await getProfile({ ctx, headers });
      keepCookies(c, cookies);
      return c.json(me, 200);
    },
  )
  .post(
    '/email',
    endpoint({
      summary: 'Ask to change the e-mail address',
      description: 'Nothing changes before the link in the mail to the new address is redeemed.',
      access: 'session',
      rateLimit: { name: 'accounts.change-email', limit: 10, windowSeconds: 900, by: ['account'] },
      responses: {
        ...accepted,
        400: { description: '`accounts.email_unchanged`' },
        401: { description: '`accounts.wrong_credentials`: the password is wrong.' },
      },
    }),
    validate('json', ChangeEmail),
    async (c) => {
      await changeEmail({ ctx: c.var.ctx, headers: c.req.raw.headers, input: c.req.valid('json') });
      return c.json({}, 202);
    },
  )
  .post(
    '/password',
    endpoint({
      summary: 'Change the password',
      description: 'Ends all other sessions and outstanding links; this browser gets a fresh session.',
      access: 'session',
      rateLimit: { name: 'accounts.change-password', limit: 10, windowSeconds: 900, by: ['account'] },
      responses: {
        204: { description: 'Changed.' },
        401: { description: '`accounts.wrong_credentials`: the current password is wrong.' },
      },
    }),
    validate('json', ChangePassword),
    async (c) => {
      const input = c.req.valid('json');
      const { cookies } = await changePassword({ ctx: c.var.ctx, headers: c.req.raw.headers, input });
      keepCookies(c, cookies);
      return c.body(null, 204);
    },
  )
  .get(
    '/sessions',
    endpoint({
      summary: 'List where the person is signed in',
      access: 'session',
      responses: { 200: { description: 'The latest first.', schema: z.object({ sessions: z.array(SessionView) }) } },
    }),
    async (c) => c.json({ sessions: await listSessions({ ctx: c.var.ctx }) }, 200),
  )
  .delete(
    '/sessions/:id',
    endpoint({
      summary: 'End one session',
      access: 'session',
      responses: {
        204: { description: 'Ended.' },
        404: { description: '`accounts.session_not_found`: ended already, or not the person’s own.' },
      },
    }),
    validate('param', EndSession),
    async (c) => {
      const input = c.req.valid('param');
      const { cookies } = await endSession({ ctx: c.var.ctx, headers: c.req.raw.headers, input });
      keepCookies(c, cookies);
      return c.body(null, 204);
    },
  )
  .post(
    '/sign-out-everywhere',
    endpoint({
      summary: 'End all sessions',
      access: 'session',
      responses: { 204: { description: 'Signed out everywhere, here included.' } },
    }),
    async (c) => {
      const { cookies } = await signOutEverywhere({ ctx: c.var.ctx, headers: c.req.raw.headers });
      keepCookies(c, cookies);
      return c.body(null, 204);
    },
  );

export type Routes = typeof routes;
