import { afterEach, beforeEach, describe, test } from 'vitest';
import { openProduct, type Product } from './testing/open-product.ts';
import { billingWith, type Case, refused } from './testing/refused.ts';

let product: Product;
beforeEach(async () => {
  product = await openProduct();
});
afterEach(() => product.remove());

describe('what a page may be', () => {
  test.each<Case>([
    [
      'a page address twice',
      billingWith("'/billing/[id]'", "'/billing'"),
      'the page address /billing belongs to modules/billing/module.ts already.',
    ],
    [
      'an address of the shell',
      { 'apps/web/src/app/(app)/billing/page.tsx': '' },
      'the page address /billing belongs to apps/web/src/app/(app)/billing/page.tsx already.',
    ],
    [
      'a mistyped icon',
      billingWith("'credit-card'", "'credit-crad'"),
      "modules/billing/module.ts: the menu has no icon 'credit-crad', did you mean 'credit-card'?",
    ],
    [
      'an icon that the web app does not bring along',
      billingWith("'credit-card'", "'notebook'"),
      "modules/billing/module.ts: the menu has no icon 'notebook'. It has bell, building-2, ",
    ],
    [
      'a page without default',
      { 'modules/billing/web/invoice.page.tsx': 'export const x = 1;' },
      'has no default export.',
    ],
  ])('not %s', async (_what, files, sentence) => {
    await product.write(files);
    await refused(product, sentence);
  });
});
