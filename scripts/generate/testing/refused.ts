import { join } from 'node:path';
import { expect } from 'vitest';
import { plan } from '../plan.ts';
import { readApp } from '../read-app.ts';
import { billing, moduleFile, type Product } from './open-product.ts';

/** Nothing is written while anything is wrong; in this process, since some forty cases need it. */
export async function refused({ root }: Product, ...sentences: string[]): Promise<void> {
  const said = await readApp(root, join(root, 'app.config.ts'))
    .then(plan)
    .then(() => '', String);
  for (const sentence of sentences) expect(said).toContain(sentence);
}

/** What a case is about, the files that it writes, and the sentence that refuses them. */
export type Case = [what: string, files: Record<string, string | null>, sentence: string];

/** Billing's table of contents, with one thing said otherwise. */
export const billingWith = (from: string, to: string): Record<string, string> => ({
  'modules/billing/module.ts': moduleFile(billing.replace(from, to)),
});

/** A job without a payload, with more of its fields set. */
export const jobFile = (name: string, more = '') => `import { defineJob } from '@ballast/kernel';
import { z } from 'zod';
export const again = defineJob({ name: '${name}', payload: z.strictObject({}), ${more} });
`;
