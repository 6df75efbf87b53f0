import { createHash } from 'node:crypto';
import { AppError } from '@ballast/kernel';
import type { Context } from 'hono';
import type { Access, EndpointMeta, RateLimit } from './access.ts';
import { addressGroup } from './address-group.ts';
import type { Caller, Env, Identity, Membership, RequestContext } from './context.ts';
import { refuseOver } from './limit-use.ts';

/**
 * Lets a caller in or throws the reason. The order matters: an address over its
 * limit costs no query, and a stranger learns nothing about an organisation.
 */
export async function admit(c: Context<Env>, { access, rateLimit }: EndpointMeta): Promise<RequestContext> {
  const { edge, requestId, address, signal, log } = c.var;
  await limitAll(c, rateLimit, 'address', addressGroup(address));
  const organizationId = c.req.header('ballast-organization') ?? null;
  const caller = access === 'public' ? null : await edge.identify(c.req.raw.headers, organizationId);
  if (access !== 'public' && !caller) throw signInFirst();
  const { identity, membership }: Caller | Stranger = caller ?? stranger;
  await limitAll(c, rateLimit, 'account', identity);
  if (identity && !membership && organizationId !== null) throw notAMember();
  requirePermission(access, membership);
  return edge.open({ requestId, address, signal, log, identity, membership });
}

/** Counts one use under each rule of this phase, in one round trip; over any of them it throws 429. */
async function limitAll(
  c: Context<Env>,
  rules: readonly RateLimit[],
  by: 'address' | 'account',
  caller: string | Identity | null,
): Promise<void> {
  // A key's use is counted by its address until API keys exist: a rule is never without effect.
  const counted = rules.filter((rule) => rule.by.includes(by) || (by === 'address' && rule.by.includes('key')));
  if (counted.length === 0) return;
  const { limiter } = c.get('edge');
  const standings = await Promise.all(
    counted.map(async (rule) => {
      const subject = typeof caller === 'string' ? caller : (caller?.userId ?? (await namedAccount(c, rule)));
      return subject === null ? [] : [{ rule, ...(await limiter.consume(rule, `${by}:${subject}`)) }];
    }),
  );
  // How often somebody else tried an account is not told to whoever can type its name.
  if (caller !== null) c.set('standings', [...(c.get('standings') ?? []), ...standings.flat()]);
  refuseOver(standings.flat());
}

/** The account that the body names, hashed: addresses of people do not belong in a cache. */
async function namedAccount(c: Context<Env>, rule: RateLimit): Promise<string | null> {
  if (!rule.accountField) return null;
  const body: unknown = await c.req.json().catch(() => null);
  const named = typeof body === 'object' && body !== null ? Reflect.get(body, rule.accountField) : null;
  if (typeof named !== 'string') return null;
  return createHash('sha256').update(named.trim().toLowerCase()).digest('base64url').slice(0, 22);
}

type Stranger = { identity: null; membership: null };
const stranger: Stranger = { identity: null, membership: null };

function notAMember(): AppError {
  return new AppError('tenancy.not_a_member', { status: 403, public: 'You are not a member of this organisation.' });
}

/** Until roles can be edited, an owner may do everything in their organisation, and others nothing that asks for a permission. */
function requirePermission(access: Access, membership: Membership | null): void {
  if (typeof access === 'string' || membership?.role === 'owner') return;
  throw new AppError('access.denied', {
    status: 403,
    public: 'Your role in this organisation does not allow this.',
    internal: `needs ${access.permission}`,
  });
}

function signInFirst(): AppError {
  return new AppError('access.sign_in_first', { status: 401, public: 'Sign in first.' });
}
