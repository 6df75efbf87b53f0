import { afterEach, beforeEach, describe, test } from 'vitest';
import { openProduct, type Product } from './testing/open-product.ts';
import { billingWith, type Case, refused } from './testing/refused.ts';

let product: Product;
beforeEach(async () => {
  product = await openProduct();
});
afterEach(() => product.remove());

describe('how a module is called', () => {
  test.each<Case>([
    [
      'a name that is no address',
      { 'modules/Bad_Name/module.ts': 'export const module = {};' },
      "modules/Bad_Name: a module's name is lower-case words joined by hyphens.",
    ],
    [
      'another name',
      billingWith("name: 'billing'", "name: 'bills'"),
      "says its name is 'bills'; it must be 'billing'.",
    ],
  ])('not %s', async (_what, files, sentence) => {
    await product.write(files);
    await refused(product, sentence);
  });
});
