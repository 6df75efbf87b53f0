import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { app, billing, moduleFile, openProduct, type Product, routesFile } from './testing/open-product.ts';
import { refused } from './testing/refused.ts';

let product: Product;
beforeEach(async () => {
  product = await openProduct();
});
afterEach(() => product.remove());

const api = 'apps/api/src/generated';
const web = 'apps/web/src';
const pages = `${web}/app/(app)/(modules)`;
const everything = [api, web];
const allFiles = async () =>
  (
    await Promise.all(everything.map(async (folder) => (await product.list(folder)).map((file) => `${folder}/${file}`)))
  ).flat();

describe('what it writes', () => {
  test('static imports, chained routes, pages, and a snapshot of the real routes', async () => {
    expect(await product.generate()).toMatchObject({ exitCode: 0 });
    const routes = await product.read(`${api}/routes.ts`);
    expect(routes).toContain("import { routes as billingRoutes } from '@ballast/modules/billing/routes';");
    expect(routes).toContain(".route('/api/teams', teamsRoutes).route('/api/billing', billingRoutes)");
    expect(await product.read(`${api}/jobs.ts`)).toContain(
      "await import('@ballast/modules/billing/jobs/send-invoice.handler')).handler",
    );
    const schedules = await product.read(`${api}/schedules.ts`);
    expect(schedules).toContain(
      "import { weekly as billingRemind } from '@ballast/modules/billing/schedules/remind.schedule';",
    );
    expect(schedules).toContain('export const schedules: readonly ScheduleDefinition[] = [billingRemind];');
    expect(await product.read(`${api}/config.ts`)).toContain('{ config: billingConfig, options: {} }');
    // teams first: billing depends on it.
    expect(await product.read(`${api}/migrations.ts`)).toContain("['teams', 'billing']");
    const snapshot = JSON.parse(await product.read(`${api}/routes.snapshot.json`));
    expect(snapshot.activeSet).toMatch(/^[0-9a-f]{16}$/);
    expect(snapshot.routes).toEqual([
      { method: 'GET', path: '/api/teams', module: 'teams', access: { permission: 'teams:read' }, rateLimit: [] },
      {
        method: 'GET',
        path: '/api/billing/invoices',
        module: 'billing',
        access: { permission: 'billing:read' },
        rateLimit: [],
      },
      {
        method: 'POST',
        path: '/api/billing/invoices/:id/refund',
        module: 'billing',
        access: { permission: 'billing:write' },
        rateLimit: [{ name: 'refund', limit: 5, windowSeconds: 60, by: ['account'] }],
      },
      { method: 'POST', path: '/api/billing/hook', module: 'billing', access: 'public', rateLimit: [] },
    ]);
    const invoices = await product.read(`${pages}/billing/page.tsx`);
    expect(invoices).toContain("export { default, metadata } from '@ballast/modules/billing/web/invoices.page';");
    expect(invoices).toContain("export const dynamic = 'force-dynamic';");
    expect(await product.read(`${pages}/billing/[id]/page.tsx`)).toContain('export { default, generateMetadata }');
    const modules = await product.read(`${web}/generated/modules.ts`);
    expect(modules).toContain("{ module: 'billing', href: '/billing', label: 'menu', icon: 'credit-card', order: 10 }");
    expect(modules).toContain("import('@ballast/modules/billing/messages/en.json')");
  });

  test('as Biome would, with a header in every file', async () => {
    await product.generate();
    const files = await allFiles();
    for (const file of files) expect(await product.read(file)).toContain('DO NOT EDIT');
    const repository = join(import.meta.dirname, '../..');
    const flags = ['check', '--vcs-enabled=false', `--config-path=${join(repository, 'biome.json')}`];
    execFileSync(join(repository, 'node_modules/.bin/biome'), [...flags, ...files], {
      cwd: product.root,
      stdio: 'pipe',
    });
  });

  test('what is asked from inside, in a place of its own', async () => {
    await product.write({
      'modules/billing/module.ts': moduleFile(billing.replace('routes: true,', 'routes: true, internal: true,')),
      'modules/billing/internal.ts': routesFile(".get('/ask', at('public'), answer)").replace(
        'const routes',
        'const internal',
      ),
    });
    expect(await product.generate()).toMatchObject({ exitCode: 0 });
    expect(await product.read(`${api}/internal.ts`)).toContain(".route('/internal/billing', billingInternal)");
    expect(await product.read(`${api}/routes.ts`)).not.toContain('nternal');
    const snapshot = JSON.parse(await product.read(`${api}/routes.snapshot.json`));
    const line = { method: 'GET', path: '/internal/billing/ask', module: 'billing', access: 'public', rateLimit: [] };
    expect(snapshot.routes).toContainEqual(line);
    await product.write({ 'modules/billing/module.ts': moduleFile(billing) });
    await refused(product, 'does not say `internal: true`, but internal.ts exists.');
  });

  test('options of a module', async () => {
    await product.write({ 'app.config.ts': app("teams: true,\n    billing: { currency: 'usd', days: { due: 30 } },") });
    expect(await product.generate()).toMatchObject({ exitCode: 0 });
    expect(await product.read(`${api}/config.ts`)).toContain("options: { currency: 'usd', days: { due: 30 } }");
  });

  test('nothing, the second time', async () => {
    await product.generate();
    const files = await allFiles();
    const times = () => Promise.all(files.map(async (file) => (await stat(join(product.root, file))).mtimeMs));
    const before = await times();
    expect(await product.generate()).toMatchObject({ exitCode: 0, output: expect.stringContaining('up to date') });
    expect(await times()).toEqual(before);
  });
});

describe('off means absent', () => {
  test('no route, job, schedule, page, menu entry, string or migration is left, and on again is the same as before', async () => {
    await product.generate();
    const before = await Promise.all((await allFiles()).map(product.read));
    const on = await allFiles();
    expect(await product.generate('--without', 'billing')).toMatchObject({ exitCode: 0 });
    expect(await product.read('app.config.ts')).toContain('billing: false');
    const files = await allFiles();
    for (const file of files) expect(await product.read(file)).not.toMatch(/billing|invoice|remind/i);
    expect(await product.list(pages)).toEqual([]);
    expect(await product.generate('--check')).toMatchObject({ exitCode: 0 });

    expect(await product.generate('--with', 'billing')).toMatchObject({ exitCode: 0 });
    expect(await allFiles()).toEqual(on);
    expect(await Promise.all(on.map(product.read))).toEqual(before);
  });

  test('a choice that cannot work changes nothing', async () => {
    const before = await product.read('app.config.ts');
    const { exitCode, output } = await product.generate('--without', 'teams');
    expect(exitCode).toBe(1);
    expect(output).toContain('app.config.ts: billing needs teams, which is off.');
    expect(await product.read('app.config.ts')).toBe(before);
  });

  test('a module with options is not switched by guessing', async () => {
    await product.write({ 'app.config.ts': app("teams: true,\n    billing: { currency: 'usd' },") });
    const { exitCode, output } = await product.generate('--without', 'billing');
    expect(exitCode).toBe(1);
    expect(output).toContain('switched by hand');
  });
});

describe('--check', () => {
  test('names what is stale and the command, and changes nothing', async () => {
    await product.generate();
    await product.write({
      [`${api}/jobs.ts`]: '// Generated, DO NOT EDIT, but edited\n',
      'app.config.ts': app('teams: true,\n    billing: false,'),
    });
    const { exitCode, output } = await product.generate('--check');
    expect(exitCode).toBe(1);
    expect(output).toContain(`write   ${api}/jobs.ts`);
    expect(output).toContain(`remove  ${pages}/billing/page.tsx`);
    expect(output).toContain('npm run generate:active-modules');
    expect(await product.read(`${api}/jobs.ts`)).toContain('but edited');
  });

  test('a hand-written file in a generated folder is refused, never removed', async () => {
    await product.generate();
    await product.write({ [`${pages}/mine/page.tsx`]: 'export default function Mine() { return null; }' });
    const { exitCode, output } = await product.generate();
    expect(exitCode).toBe(1);
    expect(output).toContain(`${pages}/mine/page.tsx was not generated`);
    expect(await product.list(`${pages}/mine`)).toEqual(['page.tsx']);
  });
});
