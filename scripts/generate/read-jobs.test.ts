import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plan } from './plan.ts';
import { readApp } from './read-app.ts';
import { openProduct, type Product, scheduleFile } from './testing/open-product.ts';
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
    [
      'no handler of a batch',
      invoices('batch: 50', 'other'),
      'send-invoice.handler.ts must have `export const handler = defineBatchHandler(…)`.',
    ],
    [
      'a batch handler of a job that says no batch',
      invoices('', 'defineBatchHandler'),
      "send-invoice.handler.ts takes batches, but the job 'billing.send-invoice' does not say how large: give it a `batch` in modules/billing/jobs/send-invoice.job.ts, or use defineHandler.",
    ],
    [
      'a handler of one job where the job says a batch',
      invoices('batch: 50', 'defineHandler'),
      "send-invoice.handler.ts takes one job, but the job 'billing.send-invoice' says `batch: 50`: use defineBatchHandler, or leave `batch` out.",
    ],
  ])('not %s', async (_what, files, sentence) => {
    await product.write(files);
    await refused(product, sentence);
  });

  test('a batch handler is loaded as any other', async () => {
    await product.write(invoices('batch: 50', 'defineBatchHandler'));
    const files = await plan(await readApp(product.root, join(product.root, 'app.config.ts')));
    expect(files.get('apps/api/src/generated/jobs.ts')).toContain(
      "await import('@ballast/modules/billing/jobs/send-invoice.handler')).handler",
    );
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

/** Billing's job, with more of its fields set, and its handler as this function would make it. */
function invoices(more: string, define: string): Record<string, string> {
  return {
    'modules/billing/schedules/remind.schedule.ts': scheduleFile('payload: {}'),
    'modules/billing/jobs/send-invoice.job.ts': jobFile('billing.send-invoice', more).replace('again', 'sendInvoice'),
    'modules/billing/jobs/send-invoice.handler.ts': `export const handler = ${define}(sendInvoice, async () => {});`,
  };
}
