#!/usr/bin/env node
/**
 * The operator's command line: `pnpm ballast doctor`, `pnpm ballast jobs …`, `pnpm ballast secrets …`. Answers go to standard output,
 * everything about them to standard error, so that `--json` can be piped.
 */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { run } from './run.ts';

// Bundled, it lies with the API's processes, three folders below the root.
const here = import.meta.dirname;
const root = resolve(here, basename(here) === 'dist' ? '../../..' : '../..');
const settings = join(root, '.env');
if (existsSync(settings)) process.loadEnvFile(settings);

const code = await run(process.argv.slice(2), {
  root,
  env: process.env,
  secretsDirectory: '/run/secrets',
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
});

// Ends now, and not when the last hanging look-up of a name does; but not before all was written into a pipe.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
