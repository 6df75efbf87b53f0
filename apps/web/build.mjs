/** Builds the web app and makes its standalone folder complete: Next leaves the files for browsers, and our start, outside it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { bundleReplica } from './bundle-replica.mjs';

const here = import.meta.dirname;
const { resolve } = createRequire(import.meta.url);
const next = resolve('next/dist/bin/next');
const replica = path.join(here, 'dist/replica.mjs');
const built = path.join(here, '.next/standalone/apps/web');

await bundleReplica(replica);

const { status } = spawnSync(process.execPath, [next, 'build'], {
  cwd: here,
  stdio: 'inherit',
  env: {
    ...process.env,
    NEXT_TELEMETRY_DISABLED: '1',
    BALLAST_CACHE_HANDLER: replica,
    // Actions are named by a hash with this, so that a tab's action is found by the next build too. It encrypts nothing:
    // serve.mjs replaces it by the installation's own key, which is in no image.
    NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: createHash('sha256').update('the names of server actions').digest('base64'),
  },
});
if (status !== 0) process.exit(status ?? 1);

cpSync(path.join(here, '.next/static'), path.join(built, '.next/static'), { recursive: true });
cpSync(replica, path.join(built, 'dist/replica.mjs'));
cpSync(path.join(here, 'serve.mjs'), path.join(built, 'serve.mjs'));
