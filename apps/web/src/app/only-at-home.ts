import { headers } from 'next/headers';
import { redirect } from 'next/navigation';

/**
 * Pages with an account belong to PUBLIC_URL: on a tenant's own domain, which Caddy names, a session would be its
 * owner's to take (docs/decisions/0033). Leads to the same page there.
 */
export async function onlyAtHome(): Promise<void> {
  const incoming = await headers();
  const home = process.env.PUBLIC_URL;
  if (!home || incoming.get('x-ballast-domain') === null) return;
  redirect(new URL(incoming.get('x-ballast-path') ?? '/', home).href);
}
