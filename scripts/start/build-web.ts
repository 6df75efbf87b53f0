import { join } from 'node:path';
import type { Children } from './children.ts';
import type { Environment } from './environment.ts';
import { root } from './settings.ts';
import { buildOnChange, hashInputs } from './stamp.ts';
import { step, unchanged } from './steps.ts';

export const webInputs = [
  'app.config.ts',
  'pnpm-lock.yaml',
  'tsconfig.base.json',
  'apps/web',
  'apps/api/src',
  'packages',
  'modules',
];

const web = join(root, 'apps/web');

/** What `node` runs to serve the built app. */
export const webServer = join(web, '.next/standalone/apps/web/serve.mjs');

/** `next build`, made complete for serving; nothing when no input changed. */
export async function buildWeb({ children, env }: { children: Children; env: { web: Environment } }): Promise<void> {
  await step('build web', 'the pages (takes up to a minute)', async () => {
    const built = await buildOnChange(
      join(web, '.next/.inputs'),
      () => hashInputs(webInputs, process.version),
      async () => {
        // As an image's: an edit that is in no commit yet makes another version, too.
        const id = env.web.BALLAST_BUILD_ID || hashInputs(webInputs).slice(0, 12);
        const building = { ...env.web, NODE_ENV: 'production', BALLAST_BUILD_ID: id };
        await children.run({ name: 'build-web', args: ['build.mjs'], cwd: web, env: building });
      },
    );
    return built ? undefined : unchanged;
  });
}
