import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A product of two small modules in a folder of its own, and the real generator run on it as a process. */
export interface Product {
  root: string;
  /** Writes files; null removes one. */
  write(files: Record<string, string | null>): Promise<void>;
  read(path: string): Promise<string>;
  /** The files below a folder, sorted. */
  list(folder: string): Promise<string[]>;
  generate(...flags: string[]): Promise<{ exitCode: number; output: string }>;
  remove(): Promise<void>;
}

const repository = fileURLToPath(new URL('../../..', import.meta.url));

export async function openProduct(): Promise<Product> {
  const root = await mkdtemp(join(tmpdir(), 'ballast-product-'));
  const product: Product = {
    root,
    async write(files) {
      for (const [path, text] of Object.entries(files)) {
        if (text === null) await rm(join(root, path), { recursive: true });
        else {
          await mkdir(dirname(join(root, path)), { recursive: true });
          await writeFile(join(root, path), text);
        }
      }
    },
    read: (path) => readFile(join(root, path), 'utf8'),
    async list(folder) {
      const found = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
      const files = found.filter((entry) => entry.isFile());
      return files.map((entry) => join(entry.parentPath, entry.name).slice(join(root, folder).length + 1)).sort();
    },
    generate: (...flags) =>
      new Promise((resolve) => {
        const script = join(repository, 'scripts/generate-active-modules.ts');
        execFile(process.execPath, [script, '--root', root, ...flags], (error, stdout, stderr) => {
          resolve({ exitCode: error ? Number(error.code) : 0, output: stdout + stderr });
        });
      }),
    remove: () => rm(root, { recursive: true, force: true }),
  };
  await product.write(baseFiles);
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'));
  await symlink(join(repository, 'modules/node_modules'), join(root, 'modules/node_modules'));
  return product;
}

/** `app.config.ts` with these modules. */
export const app = (modules: string) => `import { defineApp } from '@ballast/kernel';

export default defineApp({
  name: 'Acme',
  modules: {
    ${modules}
  },
});
`;

/** A `module.ts`, from the text of its object. */
export const moduleFile = (definition: string) => `export const module = ${definition};\n`;

export const teams = `{ name: 'teams', description: 'Teams.', alwaysOn: true, routes: true, permissions: ['teams:read'] }`;
export const billing = `{
  name: 'billing', description: 'Invoices.', dependsOn: ['teams'], routes: true, config: true,
  permissions: ['billing:read', 'billing:write'], jobs: ['send-invoice'], schedules: ['remind'], messages: ['en'],
  pages: [
    { path: '/billing', file: 'invoices', menu: { label: 'menu', icon: 'credit-card', order: 10 } },
    { path: '/billing/[id]', file: 'invoice' },
  ],
}`;

export const routesFile = (chain: string) => `import { endpoint } from '@ballast/http';
import { Hono } from 'hono';

const at = (access, more = {}) => endpoint({ summary: 'x', access, responses: { 200: { description: 'x' } }, ...more });
const answer = (c) => c.json({});
export const routes = new Hono()${chain};
`;

/** A schedule of billing's, with some of its fields set otherwise. */
export const scheduleFile = (more = '') => `import { defineSchedule } from '@ballast/kernel';
import { sendInvoice } from '../jobs/send-invoice.job.ts';
const payload = { id: '018f0000-0000-7000-8000-000000000001' };
export const weekly = defineSchedule({ name: 'billing.remind', job: sendInvoice, payload, cron: '0 9 * * 1', ${more} });
`;

const baseFiles = {
  'package.json': '{ "type": "module" }',
  'app.config.ts': app('teams: true,\n    billing: true,'),
  'modules/teams/module.ts': moduleFile(teams),
  'modules/teams/routes.ts': routesFile(".get('/', at({ permission: 'teams:read' }), answer)"),
  'modules/teams/migrations/0001_teams.sql': 'select 1;',
  'modules/billing/module.ts': moduleFile(billing),
  'modules/billing/config.ts': `import { defineConfig } from '@ballast/kernel';
import { z } from 'zod';
export const config = defineConfig('billing', {
  settings: { BILLING_KEY: { schema: z.string(), description: 'x', secret: true } },
  options: z.strictObject({ currency: z.enum(['eur', 'usd']).default('eur'), days: z.object({ due: z.int().default(14) }).default({ due: 14 }) }),
});
`,
  'modules/billing/routes.ts': routesFile(`
  .get('/invoices', at({ permission: 'billing:read' }), answer)
  .post('/invoices/:id/refund', at({ permission: 'billing:write' }, { rateLimit: { name: 'refund', limit: 5, windowSeconds: 60, by: ['account'] } }), answer)
  .post('/hook', at('public'), answer)`),
  'modules/billing/jobs/send-invoice.job.ts': `import { defineJob } from '@ballast/kernel';
import { z } from 'zod';
export const sendInvoice = defineJob({ name: 'billing.send-invoice', payload: z.strictObject({ id: z.uuid() }) });
`,
  'modules/billing/jobs/send-invoice.handler.ts': `import { defineHandler } from '@ballast/kernel';
import { sendInvoice } from './send-invoice.job.ts';
throw new Error('the generator imports no handler');
export const handler = defineHandler(sendInvoice, async () => {});
`,
  'modules/billing/schedules/remind.schedule.ts': scheduleFile(),
  'modules/billing/migrations/0001_invoices.sql': 'select 1;',
  'modules/billing/messages/en.json': '{ "menu": "Billing", "title": "Your invoices" }',
  'modules/billing/web/invoices.page.tsx': `export const metadata = { title: 'Invoices' };
export const dynamic = 'force-dynamic';
export default function Page() { return null; }
`,
  'modules/billing/web/invoice.page.tsx': `export async function generateMetadata() { return {}; }
export default async function Page() { return null; }
`,
};
