import { expect, it } from 'vitest';
import { contentSecurityPolicy, securityHeaders } from './security-headers.ts';

it('lets only scripts with the nonce run, and no inline script without', () => {
  const scripts = contentSecurityPolicy('abc', false)
    .split('; ')
    .find((directive) => directive.startsWith('script-src '));
  expect(scripts).toBe("script-src 'self' 'nonce-abc' 'strict-dynamic'");
});

it('never allows eval, or inline styles in elements, outside development', () => {
  expect(contentSecurityPolicy('abc', false)).not.toContain('unsafe-eval');
  expect(contentSecurityPolicy('abc', false)).toContain("style-src 'self' 'nonce-abc'");
  expect(contentSecurityPolicy('abc', true)).toContain("'unsafe-eval'");
});

it('cannot be framed, and sends forms and <base> nowhere else', () => {
  const policy = contentSecurityPolicy('abc', false);
  for (const rule of ["frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'", "object-src 'none'"]) {
    expect(policy).toContain(rule);
  }
});

it.each([
  ['/verify', 'no-referrer'],
  ['/reset', 'no-referrer'],
  ['/dashboard', 'strict-origin-when-cross-origin'],
])('on %s the referrer policy is %s', (path, policy) => {
  expect(securityHeaders(path)['referrer-policy']).toBe(policy);
});
