import { randomBytes } from 'node:crypto';
import { createEmailVerificationToken } from 'better-auth/api';
import { jwtVerify, SignJWT } from 'jose';
import { JWTExpired } from 'jose/errors';
import { z } from 'zod';
import { errors } from '../errors.ts';

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
  async readAddress(secret: string, token: string): Promise<z.output<typeof addressClaims>> {
    return read(secret, token, addressClaims);
  },

  async readReset(secret: string, token: string): Promise<z.output<typeof resetClaims>> {
    return read(secret, token, resetClaims);
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
  secret: string,
  token: string,
  claims: Claims,
): Promise<z.output<Claims>> {
  const payload = await jwtVerify(token, keyOf(secret), { algorithms: ['HS256'], requiredClaims: ['exp'] }).then(
    (verified) => verified.payload,
    (cause) => {
      throw cause instanceof JWTExpired ? errors.link_expired({ cause }) : errors.link_invalid({ cause });
    },
  );
  const parsed = claims.safeParse(payload);
  if (!parsed.success) throw errors.link_invalid({ internal: 'signed by us, but a link of another kind' });
  return parsed.data;
}

function keyOf(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}
