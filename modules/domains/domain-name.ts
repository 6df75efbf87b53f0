import { isIP } from 'node:net';

/** What stands before a domain in the name of its proof. */
const proofLabel = '_ballast';
/** What the record says before the claim's token. */
const proofPrefix = 'ballast-proof=';

export const proofNameOf = (name: string) => `${proofLabel}.${name}`;
export const proofValueOf = (token: string) => `${proofPrefix}${token}`;

/** Names that no public name server knows (RFC 6761 and the like), so that nobody can prove them. */
const reserved = new Set(['alt', 'arpa', 'internal', 'invalid', 'local', 'localhost', 'onion']);
/** The most that a name may have, less what the name of its proof adds. */
const longest = 253 - proofLabel.length - 1;
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The one form of a domain: lower case, in punycode, without the dot at its end. Null for
 * whatever is no host name of its own: an address, a wildcard, a single word, a URL.
 *
 * @example
 * domainNameOf('Shop.Bücher.Example.'); // 'shop.xn--bcher-kva.example'
 */
export function domainNameOf(typed: string): string | null {
  const text = typed.trim().replace(/\.$/, '');
  // The URL parser would take a part of these for the host, or decode it.
  if (text === '' || /[\s/\\:?#@%[\]*_]/.test(text)) return null;
  const name = URL.parse(`https://${text}`)?.hostname;
  if (!name || name.length > longest || isIP(name)) return null;
  const labels = name.split('.');
  const last = labels.at(-1) ?? '';
  if (labels.length < 2 || !labels.every((each) => label.test(each))) return null;
  return reserved.has(last) || !/[a-z]/.test(last) ? null : name;
}

/** Whether a name is that of the site itself, or below it. */
export function isOwn(name: string, publicUrl: string): boolean {
  const { hostname } = new URL(publicUrl);
  return name === hostname || name.endsWith(`.${hostname}`);
}
