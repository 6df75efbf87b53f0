import { type NameServer, openNameServer } from '@ballast/test-kit/name-server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Look, lookForProof } from './look-for-proof.ts';

let names: NameServer;
beforeAll(async () => {
  names = await openNameServer();
});
afterAll(() => names.close());

const claim = { name: 'shop.acme.com', token: 'the-token' };
const proof = '_ballast.shop.acme.com';
const look = (): Promise<Look> => lookForProof(claim, [names.address]);

it.each<[string, string[], Look]>([
  ['the record alone', ['ballast-proof=the-token'], 'found'],
  ['the record among others', ['v=spf1 -all', 'x'.repeat(600), ' ballast-proof=the-token '], 'found'],
  ['the record of another claim', ['ballast-proof=another'], 'absent'],
  ['the token without its prefix', ['the-token'], 'absent'],
  ['the token in other letters', ['ballast-proof=The-Token'], 'absent'],
  ['no text', [], 'absent'],
])('%s', async (_what, texts, expected) => {
  names.setTexts(proof, texts);
  expect(await look()).toBe(expected);
});

it('a name that does not exist has no record', async () => {
  expect(await lookForProof({ ...claim, name: 'nowhere.example' }, [names.address])).toBe('absent');
});

it('sees a record at once that was not there a moment ago', async () => {
  names.setTexts(proof, []);
  expect(await look()).toBe('absent');
  names.setTexts(proof, ['ballast-proof=the-token']);
  expect(await look()).toBe('found');
});

it('a server that fails, is silent or is away says nothing, in bounded time', async () => {
  names.fail(proof);
  expect(await look()).toBe('unanswered');
  names.setTexts(proof, ['ballast-proof=the-token']);
  names.silence(true);
  const startedAt = performance.now();
  expect(await look()).toBe('unanswered');
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  names.silence(false);
  expect(await look()).toBe('found');
  expect(await lookForProof(claim, ['127.0.0.1:1'])).toBe('unanswered');
});
