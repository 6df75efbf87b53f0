import { randomBytes } from 'node:crypto';
import { createEmailVerificationToken } from 'better-auth/api';
import { type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { JWSSignatureVerificationFailed, JWTExpired } from 'jose/errors';
import { z } from 'zod';
import { errors } from '../errors.ts';
import type { SigningKeys } from './signing-keys.ts';

/**
 * The tokens in mailed links: signed, so that expired, malformed and used are three
 * different answers without keeping a row for every link ever sent. Two kinds of
 * link prove a mailbox, in Better Auth's own format; `reset` is ours, and names no
 * address, so that neither can be used as the other.
 */
export const linkTokens = {
  async confirmAddress(secret: string, person: { id: string; email: string }, hours: number): Promise<string> {
    return createEmailVerificationToken(secret, person.email, undefined, hours * 3600, { userId: person.id });
  },

  async changeAddress(
    secret: string,
    person: { id: string; email: string },
    newEmail: string,
    seconds: number,
  ): Promise<string> {
    return createEmailVerificationToken(secret, person.email, newEmail, seconds, {
      userId: person.id,
      requestType: changeRequest,
    });
  },

  async reset(secret: string, userId: string, expiresAt: Date): Promise<string> {
    return new SignJWT({ userId, requestType: resetRequest })
      .setProtectedHeader({ alg: 'HS256' })
      .setJti(randomBytes(16).toString('base64url'))
      .setExpirationTime(expiresAt)
      .sign(keyOf(secret));
  },

  /** Who proves which mailbox; throws 410 for an expired link and 400 for anything else that is wrong with it. */
  async readAddress(keys: SigningKeys, token: string): Promise<z.output<typeof addressClaims>> {
    return read(keys, token, addressClaims);
  },

  async readReset(keys: SigningKeys, token: string): Promise<z.output<typeof resetClaims>> {
    return read(keys, token, resetClaims);
  },

  /** The same token for Better Auth, which knows the current key only. */
  async signedAgain(keys: SigningKeys, token: string): Promise<string> {
    const payload = await verified(keys, token);
    return new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(keyOf(keys.secret));
  },
};

const changeRequest = 'change-email-verification';
const resetRequest = 'reset-password';

const addressClaims = z.union([
  z.object({
    userId: z.uuid(),
    email: z.email(),
    updateTo: z.email(),
    requestType: z.literal(changeRequest),
  }),
  z.object({
    userId: z.uuid(),
    email: z.email(),
    updateTo: z.undefined().optional(),
    requestType: z.undefined().optional(),
  }),
]);

const resetClaims = z.object({ userId: z.uuid(), requestType: z.literal(resetRequest) });

async function read<Claims extends z.ZodType>(
  keys: SigningKeys,
  token: string,
  claims: Claims,
): Promise<z.output<Claims>> {
  const parsed = claims.safeParse(await verified(keys, token));
  if (!parsed.success) throw errors.link_invalid({ internal: 'signed by us, but a link of another kind' });
  return parsed.data;
}

async function verified({ secret, previousSecret }: SigningKeys, token: string): Promise<JWTPayload> {
  const by = async (key: string) =>
    (await jwtVerify(token, keyOf(key), { algorithms: ['HS256'], requiredClaims: ['exp'] })).payload;
  return by(secret)
    .catch((error) => {
      if (previousSecret !== undefined && error instanceof JWSSignatureVerificationFailed) return by(previousSecret);
      throw error;
    })
    .catch((cause) => {
      throw cause instanceof JWTExpired ? errors.link_expired({ cause }) : errors.link_invalid({ cause });
    });
}

function keyOf(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}
