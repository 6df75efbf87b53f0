import { join } from 'node:path';
import type { Session } from './session.ts';
import { root } from './settings.ts';
import { step } from './steps.ts';

/** Brings the database up to date, as the owner of its tables, in a process that then ends. */
export async function migrate(
  { children, env }: Pick<Session, 'children' | 'env'>,
  from: 'bundle' | 'source',
): Promise<void> {
  const args =
    from === 'bundle'
      ? [join(root, 'apps/api/dist/migrate.js')]
      : ['--import', './scripts/tsx-hook.mjs', join(root, 'apps/api/src/migrate.ts')];
  await step('migrate', 'tables, roles, policies', () => children.run({ name: 'migrate', args, env: env.migrate }));
}
