import { afterEach, beforeEach, describe, test } from 'vitest';
import { openProduct, type Product } from './testing/open-product.ts';
import { billingWith, type Case, jobFile, refused } from './testing/refused.ts';

let product: Product;
beforeEach(async () => {
  product = await openProduct();
});
afterEach(() => product.remove());

describe('what a job may be', () => {
  test.each<Case>([
    [
      'a job of another module',
      { 'modules/billing/jobs/send-invoice.job.ts': jobFile('teams.send') },
      "the job 'teams.send' must be named 'billing.…'.",
    ],
    [
      'no job in a job file',
      { 'modules/billing/jobs/send-invoice.job.ts': 'export const x = 1;' },
      'must export one job, made by defineJob.',
    ],
    [
      'no handler',
      { 'modules/billing/jobs/send-invoice.handler.ts': '' },
      'must have `export const handler = defineHandler(…)`.',
    ],
  ])('not %s', async (_what, files, sentence) => {
    await product.write(files);
    await refused(product, sentence);
  });

  test('not the same job twice', async () => {
    await product.write({
      ...billingWith("['send-invoice']", "['send-invoice', 'send-again']"),
      'modules/billing/jobs/send-again.job.ts': jobFile('billing.send-invoice'),
      'modules/billing/jobs/send-again.handler.ts': 'export const handler = defineHandler(job);',
    });
    await refused(
      product,
      "send-again.job.ts: the job 'billing.send-invoice' is in modules/billing/jobs/send-invoice.job.ts already.",
    );
  });
});
