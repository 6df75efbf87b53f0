import { afterEach, beforeEach, describe, test } from 'vitest';
import { openProduct, type Product, routesFile } from './testing/open-product.ts';
import { billingWith, type Case, refused } from './testing/refused.ts';

let product: Product;
beforeEach(async () => {
  product = await openProduct();
});
afterEach(() => product.remove());

describe('what a route may be', () => {
  test.each([
    [
      'open by omission',
      ".get('/all', answer)",
      'modules/billing/routes.ts: GET /all has no endpoint(), so nobody may call it.',
    ],
    [
      'behind a middleware for all',
      ".use('*', (c, next) => next())",
      'ALL /* has no endpoint(), so nobody may call it. Middleware for several routes is not allowed',
    ],
    [
      'there twice',
      ".get('/a', at('public'), answer).get('/a', at('session'), answer)",
      'GET /a is there twice, or has two endpoint().',
    ],
    [
      'for an unknown permission',
      ".get('/a', at({ permission: 'billing:raed' }), answer)",
      "GET /a asks for 'billing:raed', which module.ts does not list under `permissions`, did you mean 'billing:read'?",
    ],
  ])('not %s', async (_what, chain, sentence) => {
    await product.write({ 'modules/billing/routes.ts': routesFile(chain) });
    await refused(product, sentence);
  });

  test.each<Case>([
    [
      'a permission of another module',
      billingWith("'billing:read'", "'teams:read'"),
      "the permission 'teams:read' must be named 'billing:…'.",
    ],
  ])('not %s', async (_what, files, sentence) => {
    await product.write(files);
    await refused(product, sentence);
  });
});
