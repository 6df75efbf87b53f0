import { describe, expect, it } from 'vitest';
import { hashAhead, passwordHashing } from './hash-ahead.ts';

const password = 'correct horse battery';

describe('hashAhead', () => {
  it('lends its one hash to the work, and only for that password', async () => {
    const hashes = await hashAhead(password, async () => [
      await passwordHashing.hash(password),
      await passwordHashing.hash(password),
      await passwordHashing.hash('another password'),
    ]);
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[2]).not.toBe(hashes[0]);
    expect(await passwordHashing.verify({ password, hash: hashes[0] as string })).toBe(true);
    expect(await passwordHashing.hash(password)).not.toBe(hashes[0]);
  });

  it('remembers a right password for the hash that it fits, never a wrong one', async () => {
    const [hash, other] = [await passwordHashing.hash(password), await passwordHashing.hash('another password')];
    await hashAhead('the next password', async () => {
      expect(await passwordHashing.verify({ password: 'a guess', hash })).toBe(false);
      expect(await passwordHashing.verify({ password, hash })).toBe(true);
      const before = process.cpuUsage();
      for (let count = 0; count < 100; count++) expect(await passwordHashing.verify({ password, hash })).toBe(true);
      // One hundred real checks take seconds of processor time, which does not grow with the machine's other work.
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000).toBeLessThan(1_000);
      expect(await passwordHashing.verify({ password, hash: other })).toBe(false);
      expect(await passwordHashing.verify({ password: 'a guess', hash })).toBe(false);
    });
  });
});
