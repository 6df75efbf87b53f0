import { describe, expect, it } from 'vitest';
import { domainNameOf, isOwn } from './domain-name.ts';

describe('the one form of a domain', () => {
  it.each([
    ['shop.acme.com', 'shop.acme.com'],
    [' Shop.ACME.com. ', 'shop.acme.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['faß.example', 'xn--fa-hia.example'],
    // A full stop of another script, and full-width letters.
    ['shop。acme.com', 'shop.acme.com'],
    ['ｓｈｏｐ.acme.com', 'shop.acme.com'],
    ['a-b.c1.example', 'a-b.c1.example'],
  ])('%s is %s', (typed, name) => {
    expect(domainNameOf(typed)).toBe(name);
  });

  it.each([
    ...['', '.', '..', 'localhost', 'acme', 'com.'],
    ...['127.0.0.1', '0x7f.1', '1.2.3', '[::1]', '::1', '2130706433'],
    ...['*.acme.com', '_dmarc.acme.com', '-a.acme.com', 'a-.acme.com', 'a..acme.com', '.acme.com'],
    ...['https://acme.com', 'acme.com/', 'acme.com:443', 'me@acme.com', 'acme.com?a', 'acme.com#a', 'acme%2ecom'],
    ...[
      'a b.com',
      'a\u0000.com',
      'a\u200b b.com',
      'acme.123',
      'printer.local',
      'x.localhost',
      'db.internal',
      'x.onion',
    ],
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(122)}com`,
    'xn--\u00fc.com',
  ])('%s is none', (typed) => {
    expect(domainNameOf(typed)).toBeNull();
  });

  it('leaves room for the name of its proof', () => {
    const most = `${`${'a'.repeat(59)}.`.repeat(4)}acme`;
    expect(most).toHaveLength(244);
    expect(domainNameOf(most)).toBe(most);
    expect(domainNameOf(`b${most}`)).toBeNull();
  });
});

it("knows the site's own host, and what is below it", () => {
  const site = 'https://app.acme.com:8443';
  expect(['app.acme.com', 'x.app.acme.com'].filter((name) => isOwn(name, site))).toHaveLength(2);
  expect(['acme.com', 'xapp.acme.com', 'app.acme.com.evil.com'].filter((name) => isOwn(name, site))).toEqual([]);
});
