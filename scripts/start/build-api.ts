import { join } from 'node:path';
import type { Children } from './children.ts';
import type { Environment } from './environment.ts';
import { root } from './settings.ts';
import { buildOnChange, hashInputs } from './stamp.ts';
import { step, unchanged } from './steps.ts';

const inputs = [
  'app.config.ts',
  'pnpm-lock.yaml',
  'tsconfig.base.json',
  'scripts/generate-active-modules.ts',
  'apps/api',
  'cli',
  'packages',
  'modules',
];

/** Writes what app.config.ts asks for, then bundles api, worker and migrate; nothing when no input changed. */
export async function buildApi({ children, env }: { children: Children; env: { web: Environment } }): Promise<void> {
  const folder = join(root, 'apps/api');
  // Without the logins and keys: a build needs none.
  const building = { ...env.web, NODE_ENV: 'production' };
  await step('build api', 'one bundle per process', async () => {
    const generator = join(root, 'scripts/generate-active-modules.ts');
    const built = await buildOnChange(
      join(folder, 'dist/.inputs'),
      () => hashInputs(inputs, process.version),
      async () => {
        await children.run({ name: 'generate', args: [generator], env: building });
        const rolldown = join(root, 'node_modules/rolldown/bin/cli.mjs');
        const args = [rolldown, '-c', 'rolldown.config.ts'];
        await children.run({ name: 'build-api', args, cwd: folder, env: building });
      },
    );
    return built ? undefined : unchanged;
  });
}
