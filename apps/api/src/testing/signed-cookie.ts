/** A cookie that Better Auth takes for genuine, so that it looks the session up. */
export async function signedCookie(key: string, token = 'no-such-session'): Promise<string> {
  const hmac = await crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(key),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  );
  const signature = Buffer.from(await crypto.subtle.sign('HMAC', hmac, new TextEncoder().encode(token))).toString(
    'base64',
  );
  return `ballast.session_token=${encodeURIComponent(`${token}.${signature}`)}`;
}
