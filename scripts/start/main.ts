/** `npm start`: the whole system as in production, from an empty machine. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildApi } from './build-api.ts';
import { buildWeb, webServer } from './build-web.ts';
import { migrate } from './migrate.ts';
import { session } from './session.ts';
import { root } from './settings.ts';
import { addresses } from './show-addresses.ts';
import { step } from './steps.ts';

if (existsSync('.env')) process.loadEnvFile('.env');
process.stdout.write('\n  Ballast\n\n');

await session('production', async (session) => {
  const { children, env, ready, settings } = session;
  await buildApi(session);
  await migrate(session, 'bundle');
  await buildWeb(session);

  const bundle = (name: string) => join(root, 'apps/api/dist', `${name}.js`);
  children.start({ name: 'api', args: [bundle('main')], env: env.api }, 'errors');
  children.start({ name: 'worker', args: [bundle('workers-standalone')], env: env.worker }, 'errors');
  children.start({ name: 'web', args: [webServer], env: env.web }, 'errors');
  await step('api', 'answers requests', () => ready('api', `http://127.0.0.1:${settings.apiPort}/readyz`));
  await step('worker', 'runs jobs', () => ready('worker', `http://127.0.0.1:${settings.workerPort}/readyz`));
  await step('web', 'serves pages', () => ready('web', `http://127.0.0.1:${settings.webPort}/readyz`));

  if (!session.ended.aborted) process.stdout.write(`${addresses(settings)}\n`);
});
