import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { hasRedis, startRedis, type TestRedis } from '@ballast/test-kit/redis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRateLimiter, type RateLimiter } from './rate-limit.ts';

const rule = { name: 'sign-in', limit: 3, windowSeconds: 60 };
const uses = async (limiter: RateLimiter, count: number, key = 'address:192.0.2.1') => {
  const results = [];
  for (let n = 0; n < count; n++) results.push(await limiter.consume(rule, key));
  return results;
};

describe('openRateLimiter in memory', () => {
  it('allows up to the limit, then refuses until the window ends', async () => {
    const limiter = openRateLimiter({ redisUrl: null });
    const results = await uses(limiter, 5);
    expect(results.map((result) => result.allowed)).toEqual([true, true, true, false, false]);
    expect(results.map((result) => result.remaining)).toEqual([2, 1, 0, 0, 0]);
    expect(results.at(-1)?.resetSeconds).toBeGreaterThan(55);
    expect((await limiter.consume(rule, 'address:192.0.2.2')).allowed).toBe(true);
    expect((await limiter.consume({ ...rule, name: 'other' }, 'address:192.0.2.1')).allowed).toBe(true);
    await limiter.close();
  });

  it('begins to count anew when a rule gets another limit or window', async () => {
    const limiter = openRateLimiter({ redisUrl: null });
    await uses(limiter, 4);
    const [wider, longer] = [
      { ...rule, limit: 5 },
      { ...rule, windowSeconds: 120 },
    ];
    expect((await limiter.consume(wider, 'address:192.0.2.1')).remaining).toBe(4);
    expect((await limiter.consume(longer, 'address:192.0.2.1')).remaining).toBe(2);
    await limiter.close();
  });

  it('allows again in the next window', async () => {
    const limiter = openRateLimiter({ redisUrl: null });
    const short = { ...rule, limit: 1, windowSeconds: 1 };
    expect((await limiter.consume(short, 'k')).allowed).toBe(true);
    expect((await limiter.consume(short, 'k')).allowed).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect((await limiter.consume(short, 'k')).allowed).toBe(true);
    await limiter.close();
  });
});

describe('openRateLimiter without its Redis', () => {
  it('counts in this process when nothing listens, and says so once', async () => {
    const states: string[] = [];
    const limiter = openRateLimiter({ redisUrl: 'redis://127.0.0.1:9', onStateChange: (state) => states.push(state) });
    const results = await uses(limiter, 5);
    expect(results.map((result) => result.allowed)).toEqual([true, true, true, false, false]);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(states).toEqual(['lost']);
    await limiter.close();
  });

  it('counts in this process when Redis accepts and never answers', async () => {
    const mute = createServer(() => {}).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const port = (mute.address() as { port: number }).port;
    const limiter = openRateLimiter({ redisUrl: `redis://127.0.0.1:${port}` });
    const startedAt = Date.now();
    const results = await uses(limiter, 5);
    expect(results.map((result) => result.allowed)).toEqual([true, true, true, false, false]);
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    await limiter.close();
    mute.close();
  });
});

describe.runIf(hasRedis())('openRateLimiter on Redis (needs redis-server: apt-get install redis-server)', () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await startRedis(['--appendonly', 'no']);
  });
  afterEach(() => redis.stop());

  /** As patient as a machine may stand still; only who proves how soon Redis is left alone takes the default. */
  const ready = async ({ port = redis.port, ...options }: { port?: number; patienceMs?: number | undefined } = {}) => {
    let connected = () => {};
    const waiting = new Promise<void>((resolve) => {
      connected = resolve;
    });
    const limiter = openRateLimiter({
      redisUrl: `redis://127.0.0.1:${port}`,
      patienceMs: 10_000,
      ...options,
      onStateChange: (state) => state === 'connected' && connected(),
    });
    await waiting;
    return limiter;
  };

  it('shares counts between processes', async () => {
    const one = await ready();
    const two = await ready();
    await uses(one, 2);
    expect((await uses(two, 2)).map((result) => result.allowed)).toEqual([true, false]);
    expect((await uses(one, 1)).map((result) => result.allowed)).toEqual([false]);
    await one.close();
    await two.close();
  });

  it('counts under several rules in one round trip', async () => {
    let written = 0;
    const wire = createServer((client) => {
      const upstream = connect(redis.port, '127.0.0.1');
      client.on('data', (data) => {
        written += 1;
        upstream.write(data);
      });
      upstream.on('data', (data) => client.write(data));
      client.on('close', () => upstream.destroy());
    }).listen(0, '127.0.0.1');
    await once(wire, 'listening');
    const limiter = await ready({ port: (wire.address() as { port: number }).port });
    const names = ['address', 'key', 'account'];
    const all = () => Promise.all(names.map((name) => limiter.consume({ ...rule, name }, 'k')));
    await all();
    const before = written;
    expect((await all()).map((result) => result.remaining)).toEqual([1, 1, 1]);
    expect(written - before).toBe(1);
    await limiter.close();
    wire.close();
  });

  it('stays limited when Redis dies, and when it freezes', async () => {
    const limiter = await ready({ patienceMs: 3_000 });
    await uses(limiter, 1);
    process.kill(redis.pid(), 'SIGSTOP');
    const frozen = await uses(limiter, 5);
    expect(frozen.filter((result) => result.allowed)).toHaveLength(3);
    await redis.stop();
    expect((await uses(limiter, 1))[0]?.allowed).toBe(false);
    await limiter.close();
  });

  it('asks a Redis that hangs once a second, and costs the callers between nothing', async () => {
    const limiter = await ready({ patienceMs: undefined });
    await uses(limiter, 1);
    process.kill(redis.pid(), 'SIGSTOP');
    const waits = [];
    const began = performance.now();
    for (let n = 0; n < 300; n++) {
      const startedAt = performance.now();
      await limiter.consume({ ...rule, limit: 1_000_000 }, 'k');
      waits.push(performance.now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const seconds = Math.floor((performance.now() - began) / 1_000);
    const asked = waits.filter((ms) => ms > 200);
    expect(asked.length).toBeLessThanOrEqual(seconds + 1);
    // Far below the five seconds after which the connection is taken for dead, but for a machine that stood still.
    expect(Math.min(...asked)).toBeLessThan(4_000);
    await limiter.close();
  });

  it('goes back to the shared count once Redis answers again', async () => {
    const limiter = await ready({ patienceMs: 3_000 });
    await uses(limiter, 1);
    process.kill(redis.pid(), 'SIGSTOP');
    // Counted here: the frozen Redis knows of one use, this process of none.
    expect((await uses(limiter, 1))[0]?.remaining).toBe(2);
    process.kill(redis.pid(), 'SIGCONT');
    const other = await ready();
    const wide = { ...rule, limit: 1_000 };
    await Promise.all(Array.from({ length: 600 }, () => other.consume(wide, 'k')));
    // By its own count it would have to ask as often as the other did.
    await expect
      .poll(async () => (await limiter.consume(wide, 'k')).remaining, { timeout: 30_000, interval: 200 })
      .toBeLessThan(400);
    await other.close();
    await limiter.close();
  });
});
