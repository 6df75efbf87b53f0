/** Builds the web app and makes its standalone folder complete: Next leaves the files for browsers, and our start, outside it. */
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const here = import.meta.dirname;
const next = createRequire(import.meta.url).resolve('next/dist/bin/next');
const built = path.join(here, '.next/standalone/apps/web');

const { status } = spawnSync(process.execPath, [next, 'build'], {
  cwd: here,
  stdio: 'inherit',
  env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
});
if (status !== 0) process.exit(status ?? 1);

cpSync(path.join(here, '.next/static'), path.join(built, '.next/static'), { recursive: true });
cpSync(path.join(here, 'serve.mjs'), path.join(built, 'serve.mjs'));
