import { AsyncLocalStorage } from 'node:async_hooks';
import { hashPassword, verifyPassword } from 'better-auth/crypto';

/**
 * Hashing takes some 100 ms on purpose. Better Auth does it inside its transactions,
 * where each hash would keep a connection from those who only ask who is signed in.
 * Here it is done before: `work` finds the hash made, for any address alike, and a
 * password that it has already checked is not checked again.
 */
export async function hashAhead<Result>(password: string, work: () => Promise<Result>): Promise<Result> {
  const hash = await hashPassword(password);
  return ahead.run({ password, hash, verified: null }, work);
}

/** The hash that was made ahead, or null outside such work. */
export function madeAhead(): string | null {
  return ahead.getStore()?.hash ?? null;
}

interface Ahead {
  password: string;
  hash: string;
  verified: Credential | null;
}

interface Credential {
  password: string;
  hash: string;
}

const ahead = new AsyncLocalStorage<Ahead>();

/** For Better Auth: its own functions, which look first at what was done ahead. */
export const passwordHashing = {
  async hash(password: string): Promise<string> {
    const done = ahead.getStore();
    return done?.password === password ? done.hash : hashPassword(password);
  },

  async verify(credential: Credential): Promise<boolean> {
    const done = ahead.getStore();
    const { verified } = done ?? {};
    if (verified?.password === credential.password && verified.hash === credential.hash) return true;
    const right = await verifyPassword(credential);
    if (right && done) done.verified = credential;
    return right;
  },
};
