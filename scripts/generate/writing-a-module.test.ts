import { existsSync } from 'node:fs';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { migrate, readMigrations } from '@ballast/db/migrate';
import { createTestDatabase } from '@ballast/test-kit/database';
import { migrationSources } from '@ballast/test-kit/template';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openProduct } from './testing/open-product.ts';

const repository = join(import.meta.dirname, '../..');
const guide = await readFile(join(repository, 'docs/writing-a-module.md'), 'utf8');
const blocks = [...guide.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)];

// Here and not in a hook: the guide's own tests are known before any runs.
const product = await openProduct();
for (const name of ['teams', 'billing']) await rm(join(product.root, 'modules', name), { recursive: true });
for (const name of ['accounts', 'support', 'context.ts', 'package.json']) {
  await cp(join(repository, 'modules', name), join(product.root, 'modules', name), { recursive: true });
}
await product.write(Object.fromEntries(blocks.map(([, path, text]) => [path, text])));
afterAll(() => product.remove());

test('the module of the guide works as the guide says', async () => {
  expect(blocks).toHaveLength(12);
  expect(await product.generate()).toMatchObject({ exitCode: 0 });
  const snapshot = JSON.parse(await product.read('apps/api/src/generated/routes.snapshot.json'));
  expect(snapshot.routes).toContainEqual(
    expect.objectContaining({ method: 'POST', path: '/api/notes/notes', access: { permission: 'notes:write' } }),
  );
  expect(await product.read('apps/api/src/generated/config.ts')).toContain('options: { shown: 20 }');
  expect(await product.list('apps/web/src/app/(app)/(modules)/notes')).toEqual(['page.tsx']);
});

describe("the guide's tests of its module", async () => {
  beforeAll(async () => {
    const template = await createTestDatabase();
    const notes = { module: 'notes', directory: join(product.root, 'modules/notes/migrations') };
    await migrate(template.ownerUrl, await readMigrations([...migrationSources(), notes]));
    const { BALLAST_TEST_TEMPLATE } = process.env;
    process.env.BALLAST_TEST_TEMPLATE = template.name;
    return async () => {
      process.env.BALLAST_TEST_TEMPLATE = BALLAST_TEST_TEMPLATE;
      await template.drop();
    };
  });

  await import(join(product.root, 'modules/notes/routes.test.ts'));
});

test('every path that the guide names exists', () => {
  const named = [...guide.matchAll(/`((?:apps|modules|packages|scripts)\/[\w./()-]+|[\w.-]+\.(?:cjs|json))`/g)].map(
    ([, path]) => path ?? '',
  );
  const own = named.filter((path) => !path.startsWith('modules/notes') && path !== 'config.ts');
  expect(own.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
});
