import { isIP } from 'node:net';

/**
 * Who is at the other end, as limits count and sessions tell it: the API and the web server ask this alike. Each proxy
 * appends the address that it saw to X-Forwarded-For, so only the last `hops` entries are written by ours; whatever
 * is left of them the caller may have made up.
 */
export function clientAddress(remote: string | undefined, forwardedFor: string | undefined, hops: number): string {
  const peer = plain(remote ?? '') ?? 'unknown';
  if (hops === 0) return peer;
  const seen = [...(forwardedFor ?? '').split(','), peer];
  const client = seen[Math.max(0, seen.length - 1 - hops)] ?? '';
  return plain(client) ?? peer;
}

/** Without port, brackets, zone, or the prefix of an IPv4 address in IPv6 clothes; null when it is no address. */
function plain(text: string): string | null {
  const bare = text
    .trim()
    .replace(/^\[([^\]]*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(bare) ? bare.toLowerCase() : null;
}
