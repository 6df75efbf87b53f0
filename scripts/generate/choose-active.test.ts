import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { app, moduleFile, openProduct, type Product, teams } from './testing/open-product.ts';
import { billingWith, type Case, refused } from './testing/refused.ts';

let product: Product;
beforeEach(async () => {
  product = await openProduct();
});
afterEach(() => product.remove());

describe('what app.config.ts may say', () => {
  test.each([
    ['a typo', 'teams: true, biling: true', "unknown module 'biling', did you mean 'billing'?"],
    [
      'a stranger',
      'teams: true, warehouse: true',
      "unknown module 'warehouse'. There is no modules/warehouse/module.ts.",
    ],
    [
      'a needed module that is always on',
      'billing: true',
      'teams cannot be off, the product does not run without it. Set it to true.',
    ],
    ['no switch', "teams: true, billing: 'yes'", 'modules.billing must be true, false or an object with its options.'],
    ['a wrong option', "teams: true, billing: { days: { due: 'soon' } }", 'modules.billing.days.due: '],
    [
      'a mistyped option',
      "teams: true, billing: { curency: 'eur' }",
      "modules.billing.curency: billing has no such option, did you mean 'currency'?",
    ],
    ['options for a module without any', 'teams: { size: 3 }', 'teams takes no options, it has no config.ts.'],
  ])('not %s', async (_what, modules, sentence) => {
    await product.write({ 'app.config.ts': app(modules) });
    await refused(product, sentence);
  });

  test('not a module without what it needs', async () => {
    await product.write({
      'app.config.ts': app('teams: false, billing: true'),
      'modules/teams/module.ts': moduleFile(teams.replace('alwaysOn: true, ', '')),
    });
    await refused(product, 'billing needs teams, which is off.');
  });

  test('several mistakes are told at once', async () => {
    await product.write({ 'app.config.ts': app('biling: true, wharehouse: true, teams: false') });
    await refused(product, "unknown module 'biling'", "unknown module 'wharehouse'", 'teams cannot be off');
    const { exitCode, output } = await product.generate();
    expect(output.split('\n').filter((line) => line.startsWith('✗ app.config.ts: '))).toHaveLength(3);
    expect(exitCode).toBe(1);
    for (const folder of ['apps/api', 'apps/web']) expect(await product.list(folder)).toEqual([]);
  });
});

describe('what a module may need', () => {
  test.each<Case>([
    [
      'a stranger it needs',
      billingWith("['teams']", "['teems']"),
      "depends on 'teems', which is no module, did you mean 'teams'?",
    ],
  ])('not %s', async (_what, files, sentence) => {
    await product.write(files);
    await refused(product, sentence);
  });

  test('not two modules that need each other', async () => {
    await product.write({
      'modules/teams/module.ts': moduleFile(teams.replace('routes:', "dependsOn: ['billing'], routes:")),
    });
    await refused(product, 'Modules depend on each other in a circle: ');
  });
});
