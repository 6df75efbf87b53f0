/** `npm run dev`: the same system from source, with hot reload. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '../start/migrate.ts';
import { session } from '../start/session.ts';
import { root } from '../start/settings.ts';
import { addresses } from '../start/show-addresses.ts';
import { step } from '../start/steps.ts';
import { watchModules } from './watch-modules.ts';

if (existsSync('.env')) process.loadEnvFile('.env');
process.stdout.write('\n  Ballast, with hot reload\n\n');

await session('development', async (session) => {
  const { children, env, ready, settings } = session;
  const generate = () =>
    children.run({ name: 'generate', args: [join(root, 'scripts/generate-active-modules.ts')], env: env.web });
  await step('generate', 'what app.config.ts turns on', generate);
  await migrate(session, 'source');

  const watched = (entry: string) => [
    '--watch',
    '--watch-preserve-output',
    '--import',
    './scripts/tsx-hook.mjs',
    join(root, 'apps/api/src', entry),
  ];
  const web = join(root, 'apps/web');
  const next = [join(web, 'node_modules/next/dist/bin/next'), 'dev', '-p', `${settings.webPort}`, '-H', '127.0.0.1'];
  children.start({ name: 'api', args: watched('main.ts'), env: env.api }, 'everything');
  children.start({ name: 'worker', args: watched('workers-standalone.ts'), env: env.worker }, 'everything');
  children.start({ name: 'web', args: next, cwd: web, env: env.web }, 'everything');
  await step('api', 'answers requests', () => ready('api', `http://127.0.0.1:${settings.apiPort}/readyz`));
  await step('worker', 'runs jobs', () => ready('worker', `http://127.0.0.1:${settings.workerPort}/readyz`));
  await step('web', 'serves pages', () => ready('web', `http://127.0.0.1:${settings.webPort}/readyz`));

  watchModules(session.ended, { generate, migrate: () => migrate(session, 'source') });
  if (!session.ended.aborted) process.stdout.write(`${addresses(settings)}\n`);
});
