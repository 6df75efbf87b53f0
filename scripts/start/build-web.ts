import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from './session.ts';
import { root } from './settings.ts';
import { buildOnChange, hashInputs } from './stamp.ts';
import { step } from './steps.ts';

const inputs = [
  'app.config.ts',
  'pnpm-lock.yaml',
  'tsconfig.base.json',
  'apps/web',
  'apps/api/src',
  'packages',
  'modules',
];

const web = join(root, 'apps/web');
const standalone = join(web, '.next/standalone/apps/web');

/** What `node` runs to serve the built app. */
export const webServer = join(standalone, 'server.js');

/** `next build`, and the files that its standalone output leaves for a CDN to serve; nothing when no input changed. */
export async function buildWeb({ children, env }: Pick<Session, 'children' | 'env'>): Promise<void> {
  await step('build web', 'the pages (the first time takes a minute)', async () => {
    await buildOnChange(
      join(web, '.next/.inputs'),
      () => hashInputs(inputs, process.version),
      async () => {
        const next = join(web, 'node_modules/next/dist/bin/next');
        const building = { ...env.web, NODE_ENV: 'production' };
        await children.run({ name: 'build-web', args: [next, 'build'], cwd: web, env: building });
        await cp(join(web, '.next/static'), join(standalone, '.next/static'), { recursive: true });
        const folders = await readdir(web);
        if (folders.includes('public')) await cp(join(web, 'public'), join(standalone, 'public'), { recursive: true });
      },
    );
  });
}
