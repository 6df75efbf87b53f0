/**
 * One strict policy for every page: scripts only with this request's nonce, or loaded by one that has it.
 * Styles written as attributes are allowed (positions of menus are measured, and cannot be in a file).
 * The development server needs `eval` and styles that it injects; what people get does not.
 */
export function contentSecurityPolicy(nonce: string, development: boolean): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ''}`,
    `style-src 'self' ${development ? "'unsafe-inline'" : `'nonce-${nonce}'`}`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/**
 * Pages whose address holds a one-time token tell nobody where a person came from. HSTS is set where
 * TLS ends, which is not here.
 */
export function securityHeaders(pathname: string): Record<string, string> {
  const holdsToken = pathname === '/verify' || pathname === '/reset';
  return {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': holdsToken ? 'no-referrer' : 'strict-origin-when-cross-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), browsing-topics=()',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}
