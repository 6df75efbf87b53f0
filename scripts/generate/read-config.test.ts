import { afterEach, beforeEach, describe, test } from 'vitest';
import { moduleFile, openProduct, type Product, teams } from './testing/open-product.ts';
import { type Case, refused } from './testing/refused.ts';

let product: Product;
beforeEach(async () => {
  product = await openProduct();
});
afterEach(() => product.remove());

describe('what a module may read', () => {
  test.each<Case>([
    [
      'a file that does not load',
      { 'modules/billing/config.ts': "import './nowhere.ts';" },
      'modules/billing/config.ts cannot be imported: ',
    ],
  ])('not %s', async (_what, files, sentence) => {
    await product.write(files);
    await refused(product, sentence);
  });

  test('not a setting of another module', async () => {
    await product.write({
      'modules/teams/module.ts': moduleFile(teams.replace('routes:', 'config: true, routes:')),
      'modules/teams/config.ts': (await product.read('modules/billing/config.ts')).replace("'billing'", "'teams'"),
    });
    await refused(product, 'modules/billing/config.ts: the setting BILLING_KEY belongs to teams already.');
  });
});
