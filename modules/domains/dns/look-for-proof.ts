import { Resolver } from 'node:dns/promises';
import { proofNameOf, proofValueOf } from '../domain-name.ts';

/** `unanswered` says nothing of the record: the name servers were away, or ours. */
export type Look = 'found' | 'absent' | 'unanswered';

export interface Claim {
  name: string;
  token: string;
}

/** However many name servers there are, and however slow. */
const patienceMs = 6_000;
const absentCodes = new Set(['ENOTFOUND', 'ENODATA']);

/** Asks DNS for the TXT record of a claim, anew each time. `resolvers` are addresses; the system's when left out. */
export async function lookForProof({ name, token }: Claim, resolvers?: readonly string[]): Promise<Look> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (resolvers) resolver.setServers(resolvers);
  const timer = setTimeout(() => resolver.cancel(), patienceMs);
  try {
    const records = await resolver.resolveTxt(proofNameOf(name));
    const proved = records.some((parts) => parts.join('').trim() === proofValueOf(token));
    return proved ? 'found' : 'absent';
  } catch (error) {
    return absentCodes.has((error as NodeJS.ErrnoException).code ?? '') ? 'absent' : 'unanswered';
  } finally {
    clearTimeout(timer);
  }
}
