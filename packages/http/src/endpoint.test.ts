import { describe, expect, it } from 'vitest';
import { type EndpointOptions, endpoint, endpointMeta } from './index.ts';

const options = { summary: 'Knock', access: 'public', responses: { 204: { description: 'Heard.' } } } as const;
const rule = { name: 'knock', limit: 5, windowSeconds: 60, by: ['account'] } as const;

describe('a limit by account', () => {
  it('is refused on a public route that does not say where the account is named', () => {
    expect(() => endpoint({ ...options, rateLimit: rule })).toThrow('"Knock" is public, and its limit knock');
  });

  it.each<Partial<EndpointOptions>>([
    { rateLimit: { ...rule, accountField: 'email' } },
    { access: 'session', rateLimit: rule },
    { access: { permission: 'doors:knock' }, rateLimit: [rule] },
    { rateLimit: { ...rule, by: ['address'] } },
  ])('is taken elsewhere: %j', (changes) => {
    expect(endpointMeta(endpoint({ ...options, ...changes }))?.rateLimit).toHaveLength(1);
  });
});
