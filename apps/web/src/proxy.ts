import { type NextRequest, NextResponse } from 'next/server';
import { contentSecurityPolicy, securityHeaders } from './proxy/security-headers.ts';

/**
 * In front of every page: gives it its security headers. It decides nothing about who may see what; the
 * API does, and is not behind this (`app/api` passes it on).
 */
export function proxy(request: NextRequest): NextResponse {
  const { pathname, search } = request.nextUrl;
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(18))).toString('base64');
  const policy = contentSecurityPolicy(nonce, process.env.NODE_ENV === 'development');
  const headers = new Headers(request.headers);
  // Next reads the nonce for its own scripts from the policy. Whatever a caller sent by these names is replaced.
  headers.set('content-security-policy', policy);
  headers.set('x-nonce', nonce);
  headers.set('x-ballast-path', pathname + search);

  const response = NextResponse.next({ request: { headers } });
  response.headers.set('content-security-policy', policy);
  for (const [name, value] of Object.entries(securityHeaders(pathname))) response.headers.set(name, value);
  return response;
}

export const config = {
  // Files that are the same for everybody, and what orchestrators ask every few seconds.
  matcher: ['/((?!_next/static|_next/image|api$|api/|icon.svg|livez$|readyz$).*)'],
};
