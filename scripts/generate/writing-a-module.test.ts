import { existsSync } from 'node:fs';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openProduct, type Product } from './testing/open-product.ts';

const repository = join(import.meta.dirname, '../..');
let guide: string;
let product: Product;

beforeAll(async () => {
  guide = await readFile(join(repository, 'docs/writing-a-module.md'), 'utf8');
  product = await openProduct();
  for (const name of ['teams', 'billing']) await rm(join(product.root, 'modules', name), { recursive: true });
  for (const name of ['accounts', 'support', 'context.ts', 'package.json']) {
    await cp(join(repository, 'modules', name), join(product.root, 'modules', name), { recursive: true });
  }
});
afterAll(() => product.remove());

test('the module of the guide works as the guide says', async () => {
  const blocks = [...guide.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)];
  expect(blocks).toHaveLength(11);
  await product.write(Object.fromEntries(blocks.map(([, path, text]) => [path, text])));
  expect(await product.generate()).toMatchObject({ exitCode: 0 });
  const snapshot = JSON.parse(await product.read('apps/api/src/generated/routes.snapshot.json'));
  expect(snapshot.routes).toContainEqual(
    expect.objectContaining({ method: 'POST', path: '/api/notes/notes', access: { permission: 'notes:write' } }),
  );
  expect(await product.read('apps/api/src/generated/config.ts')).toContain('options: { shown: 20 }');
  expect(await product.list('apps/web/src/app/(app)/(modules)/notes')).toEqual(['page.tsx']);
});

test('every path that the guide names exists', () => {
  const named = [...guide.matchAll(/`((?:apps|modules|packages|scripts)\/[\w./()-]+|[\w.-]+\.(?:cjs|json))`/g)].map(
    ([, path]) => path ?? '',
  );
  const own = named.filter((path) => !path.startsWith('modules/notes') && path !== 'config.ts');
  expect(own.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
});
