import { Resolver } from 'node:dns/promises';
import { describe, expect, it } from 'vitest';
import { config } from './config.ts';

const { schema } = config.settings.DOMAINS_RESOLVERS;

describe('DOMAINS_RESOLVERS', () => {
  it.each(['9.9.9.9', '9.9.9.9:5353', '[2620:fe::fe]', '[::1]:53', '9.9.9.9, [2620:fe::fe]:5353'])(
    'takes %s, and so does a resolver',
    (text) => {
      const servers = schema.parse(text) ?? [];
      expect(servers).toEqual(text.split(', '));
      new Resolver().setServers(servers);
    },
  );

  it.each([
    '999.9.9.9',
    '9.9.9',
    '9.9.9.9:70000',
    '[9.9.9.9]',
    '[::g]',
    '2620:fe::fe',
    'dns.example.com',
    '9.9.9.9,',
    '',
  ])('refuses "%s"', (text) => {
    expect(schema.safeParse(text).error?.issues).toMatchObject([{ message: expect.stringContaining('9.9.9.9') }]);
  });
});
