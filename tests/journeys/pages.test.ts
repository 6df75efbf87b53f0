import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { expect, test } from 'vitest';
import { useBrowser, type Visitor } from './harness/browser.ts';
import { arrive, newPerson, signUp } from './harness/people.ts';

const browser = useBrowser();
// Evaluated, not added as a script: the pages' own policy would rightly refuse that.
const axe = (createRequire(import.meta.url)('axe-core') as { source: string }).source;

const open = [
  '/',
  '/sign-up',
  '/check-inbox',
  '/sign-in',
  '/verify',
  '/forgot',
  '/reset',
  '/reset?token=x',
  '/nowhere',
];
const signedIn = ['/dashboard', '/settings', '/support', '/domains'];

test.each(['light', 'dark'] as const)('no page has a serious accessibility problem, %s', async (colorScheme) => {
  const visitor = await browser.visitor({ colorScheme, reducedMotion: 'reduce' });
  visitor.expectRefusals();
  const found: string[] = [];
  for (const path of open) found.push(...(await problems(visitor, path)));
  await arrive(visitor, newPerson());
  for (const path of signedIn) found.push(...(await problems(visitor, path)));
  expect(found).toEqual([]);
});

test('on a phone no page is wider than the screen', async () => {
  const visitor = await browser.visitor({ viewport: { width: 360, height: 740 } });
  visitor.expectRefusals();
  const wide: string[] = [];
  const measure = async (path: string) => {
    await visitor.open(path);
    await measureHere(path);
  };
  const measureHere = async (path: string) => {
    const width = Number(await visitor.page.evaluate('document.documentElement.scrollWidth'));
    if (width > 360) wide.push(`${path}: ${width}`);
  };
  // The page after sign-up keeps a line for the address: it is reached here as people reach it.
  for (const path of open.filter((each) => each !== '/check-inbox')) await measure(path);
  await signUp(visitor, newPerson());
  await measureHere('/check-inbox');
  await borrowSession(visitor);
  for (const path of signedIn) await measure(path);
  expect(wide).toEqual([]);
});

/** On a phone the account's menu is behind a button: another screen signs up. */
async function borrowSession(visitor: Visitor): Promise<void> {
  const desktop = await browser.visitor();
  const ada = newPerson();
  await arrive(desktop, ada);
  await visitor.context.addCookies(await desktop.context.cookies());
}

async function problems(visitor: Visitor, path: string): Promise<string[]> {
  await visitor.open(path);
  await visitor.page.evaluate(axe);
  const results = (await visitor.page.evaluate('axe.run()')) as AxeResults;
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${path}: ${id} at ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}
