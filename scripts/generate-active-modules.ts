/**
 * Writes the code that `app.config.ts` asks for: which routes, jobs, pages and
 * strings there are. Plain static code, committed, and the same on every machine.
 *
 *   pnpm generate:active-modules                     write what changed
 *   pnpm generate:active-modules --check             change nothing; exit 1 when something would change
 *   pnpm generate:active-modules --without support   turn a module off in app.config.ts first (--with: on)
 */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generatedDirectories, plan } from './generate/plan.ts';
import { Problems } from './generate/problems.ts';
import { readApp } from './generate/read-app.ts';
import { switchModule } from './generate/switch-module.ts';
import { apply, compare, type Files, formatted } from './generate/write-files.ts';

const { values: flags } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    root: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
    config: { type: 'string' },
    with: { type: 'string', multiple: true, default: [] },
    without: { type: 'string', multiple: true, default: [] },
  },
});

async function run(): Promise<number> {
  const root = resolve(flags.root);
  const configFile = flags.config ? resolve(flags.config) : join(root, 'app.config.ts');
  const files = await filesFor(root, configFile);
  const difference = await compare(root, files, generatedDirectories);
  const paths = [...difference.changed, ...difference.stale];
  if (paths.length === 0) {
    console.log(`The generated code is up to date (${files.size} files).`);
    return 0;
  }
  if (flags.check) {
    console.error(`The generated code does not match app.config.ts and modules/:\n${listed(difference)}`);
    console.error('Run `npm run generate:active-modules` and commit the result.');
    return 1;
  }
  await apply(root, files, difference);
  console.log(listed(difference));
  return 0;
}

/** With the switches of the command line set, or left as they were when the result would not work. */
async function filesFor(root: string, configFile: string): Promise<Files> {
  const undo: (() => Promise<void>)[] = [];
  try {
    for (const name of flags.with) undo.unshift(await switchModule(configFile, name, true));
    for (const name of flags.without) undo.unshift(await switchModule(configFile, name, false));
    return await formatted(await plan(await readApp(root, configFile)));
  } catch (error) {
    for (const step of undo) await step();
    throw error;
  }
}

function listed({ changed, stale }: { changed: string[]; stale: string[] }): string {
  return [...changed.map((path) => `  write   ${path}`), ...stale.map((path) => `  remove  ${path}`)].join('\n');
}

try {
  process.exitCode = await run();
} catch (error) {
  if (!(error instanceof Problems)) throw error;
  console.error(error.list.map((problem) => `✗ ${problem}`).join('\n'));
  process.exitCode = 1;
}
