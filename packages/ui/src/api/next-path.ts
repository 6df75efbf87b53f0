const HOME = '/dashboard';
/** Any base will do: it only shows whether the path stays on it. */
const BASE = 'http://local.invalid';

/**
 * Where to go after signing in: the asked-for path when it is one of ours, else the dashboard.
 * `//evil.example`, `/\evil.example`, `https:…`, and what a browser would read as those (tabs and
 * line breaks are dropped from addresses) are refused, as are the API and the sign-in page itself.
 */
export function safeNextPath(asked: string | string[] | undefined | null): string {
  if (typeof asked !== 'string' || asked.length > 2000 || !asked.startsWith('/')) return HOME;
  if (hasControl(asked) || asked.includes('\\') || asked.startsWith('//')) return HOME;
  let url: URL;
  try {
    url = new URL(asked, BASE);
  } catch {
    return HOME;
  }
  if (url.origin !== BASE || url.pathname.startsWith('//')) return HOME;
  if (/^\/(api|sign-in|sign-up|_next)(\/|$)/i.test(url.pathname)) return HOME;
  return url.pathname + url.search + url.hash;
}

function hasControl(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
