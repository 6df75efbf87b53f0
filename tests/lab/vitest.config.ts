import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The Compose files themselves, on a Docker engine: `pnpm test:lab`. DOCKER_HOST names the engine. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['tests/lab/**/*.test.ts'],
    // Several engines on one machine need a program that starts them.
    exclude: process.env.BALLAST_LAB_NODES ? [] : ['tests/lab/nodes.test.ts'],
    globalSetup: ['tests/lab/harness/global-setup.ts'],
    pool: 'forks',
    // All files look at one stack, and one of them changes it.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 240_000,
  },
});
