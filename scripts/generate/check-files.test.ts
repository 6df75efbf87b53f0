import { afterEach, beforeEach, describe, test } from 'vitest';
import { openProduct, type Product } from './testing/open-product.ts';
import { billingWith, type Case, refused } from './testing/refused.ts';

let product: Product;
beforeEach(async () => {
  product = await openProduct();
});
afterEach(() => product.remove());

describe('what module.ts lists, and the files', () => {
  test.each<Case>([
    [
      'a missing handler',
      { 'modules/billing/jobs/send-invoice.handler.ts': null },
      'modules/billing/module.ts names jobs/send-invoice.handler.ts, which does not exist.',
    ],
    [
      'a missing page',
      { 'modules/billing/web/invoice.page.tsx': null },
      'names web/invoice.page.tsx, which does not exist.',
    ],
    ['missing messages', { 'modules/billing/messages/en.json': null }, 'names messages/en.json, which does not exist.'],
    [
      'missing routes',
      { 'modules/teams/routes.ts': null },
      'modules/teams/module.ts names routes.ts, which does not exist.',
    ],
    [
      'a forgotten job',
      { 'modules/billing/jobs/dun.job.ts': '' },
      "does not list 'dun' under `jobs`, but jobs/dun.job.ts exists.",
    ],
    [
      'a missing schedule',
      { 'modules/billing/schedules/remind.schedule.ts': null },
      'modules/billing/module.ts names schedules/remind.schedule.ts, which does not exist.',
    ],
    [
      'a forgotten schedule',
      { 'modules/billing/schedules/close-year.schedule.ts': '' },
      "does not list 'close-year' under `schedules`, but schedules/close-year.schedule.ts exists.",
    ],
    ['forgotten routes', billingWith('routes: true, ', ''), 'does not say `routes: true`, but routes.ts exists.'],
    [
      'a label without words',
      billingWith("label: 'menu'", "label: 'meun'"),
      "en.json has no 'meun', which the menu shows, did you mean 'menu'?",
    ],
    [
      'its name around the messages',
      { 'modules/billing/messages/en.json': '{ "billing": { "menu": "x" } }' },
      "leave out the outer 'billing'",
    ],
    [
      'broken messages',
      { 'modules/billing/messages/en.json': '{ "menu": ' },
      'modules/billing/messages/en.json is not a JSON object.',
    ],
  ])('not %s', async (_what, files, sentence) => {
    await product.write(files);
    await refused(product, sentence);
  });
});
