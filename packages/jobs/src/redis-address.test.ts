import { describe, expect, it } from 'vitest';
import { redisAddress } from './redis-address.ts';

describe('the address of a Redis', () => {
  it('is one server’s URL, as it stands', () => {
    expect(redisAddress('redis://u:p@host:6380/2')).toEqual({ url: 'redis://u:p@host:6380/2' });
  });

  it('is a name that sentinels know, with the login of the servers', () => {
    expect(redisAddress('redis-sentinel://user:p%40ss@h1:26380,h2,[::1]:26381/queue?db=3')).toMatchObject({
      sentinels: [
        { host: 'h1', port: 26_380 },
        { host: 'h2', port: 26_379 },
        { host: '::1', port: 26_381 },
      ],
      name: 'queue',
      username: 'user',
      password: 'p@ss',
      db: 3,
    });
  });

  it('may have another login for the sentinels, and TLS for all', () => {
    const url = 'rediss-sentinel://:secret@h1/queue?sentinelUsername=watch&sentinelPassword=man';
    const address = redisAddress(url);
    expect(address).toMatchObject({ password: 'secret', sentinelUsername: 'watch', sentinelPassword: 'man', db: 0 });
    expect(address).toMatchObject({ tls: {}, enableTLSForSentinelMode: true });
    expect(address).not.toHaveProperty('username');
  });

  it.each([
    ['redis-sentinel://h1:26379', /must be redis-sentinel:\/\//],
    ['redis-sentinel://h1:26379/', /must name the primary/],
    ['redis-sentinel://h1:70000/queue', /port 70000, which is none/],
    ['redis-sentinel://h1,,h2/queue', /host:port, separated by commas/],
    ['redis-sentinel://h1/queue?db=first', /a number as db/],
    ['redis-sentinel://h1/queue?database=1', /unknown parameter "database"; known are db,/],
    ['redis-sentinel://u:%zz@h1/queue', /percent-encoded/],
  ])('is refused in words: %s', (url, words) => {
    expect(() => redisAddress(url)).toThrow(words);
  });

  it('says nothing of a password when it is refused', () => {
    expect(() => redisAddress('redis-sentinel://u:hunter2@h1/queue?db=x')).toThrow(/^(?!.*hunter2)/);
  });
});
