#!/usr/bin/env node
/**
 * The operator's command line: `ballast doctor`, `ballast jobs …`, `ballast secrets …`; in a checkout `npm run ballast -- …`. Answers go to standard output,
 * everything about them to standard error, so that `--json` can be piped.
 */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import { isBundle } from './output/program.ts';

// Bundled, it lies with the API's processes, three folders below the root.
const here = import.meta.dirname;
const bundled = isBundle(here);
const root = resolve(here, bundled ? '../../..' : '../..');
// Most of a command's time goes into some five hundred modules. Not in a folder that other users of the machine can write to.
if (!bundled) enableCompileCache(join(root, 'node_modules/.cache/ballast'));
const settings = join(root, '.env');
if (existsSync(settings)) process.loadEnvFile(settings);

const { run } = await import('./run.ts');
const code = await run(process.argv.slice(2), {
  root,
  env: process.env,
  secretsDirectory: '/run/secrets',
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
});

// Ends now, and not when the last hanging look-up of a name does; but not before all was written into a pipe.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
