import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plan } from './plan.ts';
import { readApp } from './read-app.ts';
import {
  app,
  billing,
  moduleFile,
  openProduct,
  type Product,
  routesFile,
  scheduleFile,
  teams,
} from './testing/open-product.ts';

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

/** Nothing is written while anything is wrong; in this process, since some thirty cases need it. */
async function refused(...sentences: string[]): Promise<void> {
  const said = await readApp(product.root, join(product.root, 'app.config.ts'))
    .then(plan)
    .then(() => '', String);
  for (const sentence of sentences) expect(said).toContain(sentence);
}

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
    expect(modules).toContain("{ module: 'billing', href: '/billing', label: 'menu', icon: 'receipt', order: 10 }");
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
    await refused('does not say `internal: true`, but internal.ts exists.');
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
    expect(output).toContain('pnpm generate:active-modules');
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
    await refused(sentence);
  });

  test('not a module without what it needs', async () => {
    await product.write({
      'app.config.ts': app('teams: false, billing: true'),
      'modules/teams/module.ts': moduleFile(teams.replace('alwaysOn: true, ', '')),
    });
    await refused('billing needs teams, which is off.');
  });

  test('several mistakes are told at once', async () => {
    await product.write({ 'app.config.ts': app('biling: true, wharehouse: true, teams: false') });
    await refused("unknown module 'biling'", "unknown module 'wharehouse'", 'teams cannot be off');
    const { exitCode, output } = await product.generate();
    expect(output.split('\n').filter((line) => line.startsWith('✗ app.config.ts: '))).toHaveLength(3);
    expect(exitCode).toBe(1);
    expect(await allFiles()).toEqual([]);
  });
});

describe('what a module may say', () => {
  const change = (from: string, to: string) => ({ 'modules/billing/module.ts': moduleFile(billing.replace(from, to)) });
  test.each<[string, Record<string, string | null>, string]>([
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
    [
      'no schedule in a schedule file',
      remind("export const x = { cron: '* * * * *' };"),
      'modules/billing/schedules/remind.schedule.ts must export one schedule, made by defineSchedule.',
    ],
    [
      'a schedule of another module',
      remind(scheduleFile("name: 'teams.remind'")),
      "remind.schedule.ts: the schedule 'teams.remind' must be named 'billing.…'.",
    ],
    [
      'an unknown time zone',
      remind(scheduleFile("zone: 'Europe/Berln'")),
      "modules/billing/schedules/remind.schedule.ts: its time zone 'Europe/Berln' is unknown, did you mean 'Europe/Berlin'?",
    ],
    [
      'a cron expression that nobody can read',
      remind(scheduleFile("cron: '0 25 * * *'")),
      "modules/billing/schedules/remind.schedule.ts: its cron expression '0 25 * * *' cannot be read: ",
    ],
    [
      'a payload that its job refuses',
      remind(scheduleFile('payload: {}')),
      "modules/billing/schedules/remind.schedule.ts: its payload does not fit the job 'billing.send-invoice': id: ",
    ],
    [
      'a schedule of a job that no module lists',
      remind(job('billing.dun') + scheduleFile('job: again, payload: {}')),
      "remind.schedule.ts: its job 'billing.dun' is no job of an active module",
    ],
    ['forgotten routes', change('routes: true, ', ''), 'does not say `routes: true`, but routes.ts exists.'],
    [
      'a name that is no address',
      { 'modules/Bad_Name/module.ts': 'export const module = {};' },
      "modules/Bad_Name: a module's name is lower-case words joined by hyphens.",
    ],
    ['another name', change("name: 'billing'", "name: 'bills'"), "says its name is 'bills'; it must be 'billing'."],
    [
      'a stranger it needs',
      change("['teams']", "['teems']"),
      "depends on 'teems', which is no module, did you mean 'teams'?",
    ],
    [
      'a page address twice',
      change("'/billing/[id]'", "'/billing'"),
      'the page address /billing belongs to modules/billing/module.ts already.',
    ],
    [
      'an address of the shell',
      { [`${web}/app/(app)/billing/page.tsx`]: '' },
      'the page address /billing belongs to apps/web/src/app/(app)/billing/page.tsx already.',
    ],
    [
      'a label without words',
      change("label: 'menu'", "label: 'meun'"),
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
    [
      'a permission of another module',
      change("'billing:read'", "'teams:read'"),
      "the permission 'teams:read' must be named 'billing:…'.",
    ],
    [
      'a job of another module',
      { 'modules/billing/jobs/send-invoice.job.ts': job('teams.send') },
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
      'a file that does not load',
      { 'modules/billing/config.ts': "import './nowhere.ts';" },
      'modules/billing/config.ts cannot be imported: ',
    ],
    [
      'a page without default',
      { 'modules/billing/web/invoice.page.tsx': 'export const x = 1;' },
      'has no default export.',
    ],
  ])('not %s', async (_what, files, sentence) => {
    await product.write(files);
    await refused(sentence);
  });

  test('not the same job twice', async () => {
    await product.write({
      ...change("['send-invoice']", "['send-invoice', 'send-again']"),
      'modules/billing/jobs/send-again.job.ts': job('billing.send-invoice'),
      'modules/billing/jobs/send-again.handler.ts': 'export const handler = defineHandler(job);',
    });
    await refused(
      "send-again.job.ts: the job 'billing.send-invoice' is in modules/billing/jobs/send-invoice.job.ts already.",
    );
  });

  test('not the same schedule twice', async () => {
    await product.write({
      ...change("['remind']", "['remind', 'remind-again']"),
      'modules/billing/schedules/remind-again.schedule.ts': scheduleFile(),
    });
    await refused(
      "remind-again.schedule.ts: the schedule 'billing.remind' is in modules/billing/schedules/remind.schedule.ts already.",
    );
  });

  test('not a schedule whose job is of a module that is off', async () => {
    await product.write({
      'app.config.ts': app('teams: true,\n    billing: false,'),
      'modules/teams/module.ts': moduleFile(teams.replace('routes:', "schedules: ['remind'], routes:")),
      'modules/teams/schedules/remind.schedule.ts': scheduleFile("name: 'teams.remind'").replace(
        '../jobs',
        '../../billing/jobs',
      ),
    });
    await refused(
      "modules/teams/schedules/remind.schedule.ts: its job 'billing.send-invoice' is no job of an active module",
    );
  });

  test('not two modules that need each other', async () => {
    await product.write({
      'modules/teams/module.ts': moduleFile(teams.replace('routes:', "dependsOn: ['billing'], routes:")),
    });
    await refused('Modules depend on each other in a circle: ');
  });

  test('not a setting of another module', async () => {
    await product.write({
      'modules/teams/module.ts': moduleFile(teams.replace('routes:', 'config: true, routes:')),
      'modules/teams/config.ts': (await product.read('modules/billing/config.ts')).replace("'billing'", "'teams'"),
    });
    await refused('modules/billing/config.ts: the setting BILLING_KEY belongs to teams already.');
  });
});

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
    await refused(sentence);
  });
});

function remind(text: string): Record<string, string> {
  return { 'modules/billing/schedules/remind.schedule.ts': text };
}

function job(name: string): string {
  return `import { defineJob } from '@ballast/kernel';
import { z } from 'zod';
export const again = defineJob({ name: '${name}', payload: z.strictObject({}) });
`;
}
