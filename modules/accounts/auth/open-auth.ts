/**
 * Identity: Better Auth on a pool of its own, whose connections wear `ballast_auth`.
 * Its own HTTP surface is not mounted; the module's actions call it as a library.
 *
 * @example
 * const pool = openDatabase({ url, role: 'ballast_auth', applicationName: 'ballast-auth', maxConnections: 5 });
 * const auth = openAuth({ database: pool, secret, publicUrl, ...options, log });
 * await auth.identify(request.headers, null); // { identity, membership } or null
 */
import { currentTransaction, type Database, type Tx } from '@ballast/db';
import type { Caller, Identity } from '@ballast/http';
import type { Log } from '@ballast/kernel';
import { runWithTransaction } from '@better-auth/core/context';
import { betterAuth } from 'better-auth/minimal';
import { sendVerification } from '../jobs/send-verification.job.ts';
import { passwordLength } from '../password-length.ts';
import { mailEverySeconds } from './account-changes.ts';
import { accountsAdapter } from './adapter.ts';
import { addressDigest } from './address-digest.ts';
import { madeAhead, passwordHashing } from './hash-ahead.ts';
import { identify, sessionToken } from './identify.ts';
import { requestMail } from './request-mail.ts';
import { keepSignUpAttempt } from './sign-up-attempt.ts';
import type { SigningKeys } from './signing-keys.ts';
import { tellOwner } from './tell-owner.ts';

/** Its keys have at least 32 characters; they sign cookies and links. */
export interface AuthOptions extends SigningKeys {
  /** A pool of its own: the identity tables open to no other role. */
  database: Database;
  /** The origin that browsers use; cookies are `Secure` when it is https. */
  publicUrl: string;
  sessionDays: number;
  verificationHours: number;
  resetMinutes: number;
  keepUnconfirmedDays: number;
  log: Log;
}

export interface Auth {
  /** Whose session the cookies carry, and their place in this organisation, or in their personal one. Reads only. */
  identify(headers: Headers, organizationId: string | null): Promise<Caller | null>;
  /** Whether a visit now makes the session last longer; then Better Auth's `getSession` does it. */
  extendable(identity: Identity): boolean;
  /** One transaction for everything that Better Auth and `work` do in it. */
  transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result>;
  /** Better Auth's server API, for this module's actions. */
  readonly api: ReturnType<typeof betterAuthFor>['api'];
  /** Better Auth's store, for what its API has no verb for. */
  readonly store: Promise<Awaited<ReturnType<typeof betterAuthFor>['$context']>['internalAdapter']>;
  readonly options: AuthOptions;
}

/** Opens nothing but objects: the pool is the caller's, to open and to close. */
export function openAuth(options: AuthOptions): Auth {
  const better = betterAuthFor(options, transaction);
  const cookieName = better.$context.then(({ authCookies }) => authCookies.sessionToken.name);

  async function transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> {
    const { adapter } = await better.$context;
    return runWithTransaction(adapter, () => work(currentTransaction() as Tx));
  }

  return {
    async identify(headers, organizationId) {
      const token = sessionToken(headers, await cookieName, options);
      return identify(options.database, token, organizationId);
    },
    extendable: ({ sessionEndsAt }) =>
      sessionEndsAt.getTime() - Date.now() <= (lifeSeconds(options) - extendEverySeconds) * 1_000,
    transaction,
    api: better.api,
    store: better.$context.then((context) => context.internalAdapter),
    options,
  };
}

/** The header in which the actions hand over the client's address, after the trusted hops. */
export const addressHeader = 'x-ballast-client-address';

/** How exact "last seen" is, and how often a visit costs a write. */
const extendEverySeconds = 3600;

const lifeSeconds = ({ sessionDays }: AuthOptions) => sessionDays * 24 * 3600;

function betterAuthFor(options: AuthOptions, transaction: Auth['transaction']) {
  return betterAuth({
    appName: 'Ballast',
    baseURL: options.publicUrl,
    basePath: '/api/accounts',
    secret: options.secret,
    database: accountsAdapter(options.database),
    // Mails leave by jobs: the callbacks enqueue, and never see the tokens' recipients.
    emailAndPassword: {
      enabled: true,
      requireEmailVerification: true,
      minPasswordLength: passwordLength.min,
      maxPasswordLength: passwordLength.max,
      password: passwordHashing,
      revokeSessionsOnPasswordReset: true,
      onExistingUserSignUp: ({ user }) =>
        transaction(async (tx) => {
          const hash = madeAhead();
          if (hash && user.emailVerified) await keepSignUpAttempt(tx, user.id, hash);
          await tellOwner(tx, user.id);
        }),
    },
    emailVerification: {
      sendOnSignUp: false,
      sendOnSignIn: true,
      autoSignInAfterVerification: true,
      expiresIn: options.verificationHours * 3600,
      sendVerificationEmail: ({ user }) =>
        transaction((tx) =>
          requestMail(
            tx,
            sendVerification,
            { userId: user.id, addressDigest: addressDigest(user) },
            { everySeconds: mailEverySeconds.verification },
          ),
        ),
    },
    session: {
      expiresIn: lifeSeconds(options),
      updateAge: extendEverySeconds,
    },
    verification: { storeIdentifier: 'hashed' },
    advanced: {
      cookiePrefix: 'ballast',
      useSecureCookies: options.publicUrl.startsWith('https://'),
      database: { generateId: 'uuid' },
      ipAddress: { ipAddressHeaders: [addressHeader] },
    },
    // The edge limits by route, address and account, on all replicas.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { level: 'error', log: (_level, message, ...details) => report(options.log, message, details) },
  });
}

/** Only names and codes: a failed query's message repeats its parameters, password hashes included. */
function report(log: Log, message: string, details: readonly unknown[]): void {
  const errors = details.filter((detail) => detail instanceof Error);
  const reasons = errors.map((error) => Reflect.get(Object(error.cause ?? error), 'code') ?? error.name);
  log.error({ component: 'better-auth', reasons }, message);
}
